import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct DeferredListTests {
    typealias Spam = DeferredTests.Spam

    @Test func emptyListFiresAtOnce() async throws {  // S24
        try await withReactor { _ in
            let count = try DeferredList([Deferred<Int>]()).result()?.get().count
            #expect(count == 0)
            let values = try gatherResults([Deferred<Int>]()).result()?.get()
            #expect(values == [])
        }
    }

    @Test func emptyListThatFiresOnOneCallbackNeverFires() async throws {  // S24
        try await withReactor { _ in
            let list = Deferred(fireOnOneCallback: [Deferred<Int>]())
            #expect(!list.isCalled)
        }
    }

    @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
    func outcomesKeepTheOrderOfTheMembers(_ order: [Int]) async throws {  // S25
        try await withReactor { _ in
            let members = (0..<3).map { _ in Deferred<Int>() }
            let list = DeferredList(members, consumeErrors: true)
            for index in order {
                #expect(!list.isCalled)
                if index == 1 {
                    try members[1].errback(Spam(number: 1))
                } else {
                    try members[index].callback(index)
                }
            }
            let outcomes = try list.result()?.get()
            #expect(
                outcomes?.map { "\($0)" } == [
                    "success(0)", "\(Result<Int, any Error>.failure(Spam(number: 1)))", "success(2)",
                ])
        }
    }

    @Test func firedMembersCountAtOnce() async throws {  // S25
        try await withReactor { _ in
            let outcomes = try DeferredList([.succeed(1), .succeed(2)]).result()?.get()
            #expect(try outcomes?.map { try $0.get() } == [1, 2])
        }
    }

    @Test func fireOnOneCallbackGivesTheFirstValueAndItsIndex() async throws {  // S26
        try await withReactor { _ in
            let members = (0..<3).map { _ in Deferred<Int>() }
            let list = Deferred(fireOnOneCallback: members, consumeErrors: true)
            try members[0].errback(Spam())
            #expect(!list.isCalled)
            try members[2].callback(20)
            try members[1].callback(10)
            guard case .first(20, index: 2)? = try list.result()?.get() else {
                Issue.record("\(String(describing: list.result()))")
                return
            }
        }
    }

    @Test func fireOnOneCallbackWithoutAnyGivesEveryError() async throws {  // S26
        try await withReactor { _ in
            let members = (0..<2).map { _ in Deferred<Int>() }
            let list = Deferred(fireOnOneCallback: members, consumeErrors: true)
            try members[1].errback(Spam(number: 1))
            try members[0].errback(Spam(number: 0))
            guard case .none(let group)? = try list.result()?.get() else {
                Issue.record("\(String(describing: list.result()))")
                return
            }
            #expect(group.errors as? [Spam] == [Spam(number: 0), Spam(number: 1)])
        }
    }

    @Test func fireOnOneErrbackFailsWithTheFirstErrorAndItsIndex() async throws {  // S26
        try await withReactor { _ in
            let members = (0..<3).map { _ in Deferred<Int>() }
            let list = DeferredList(members, fireOnOneErrback: true, consumeErrors: true)
            try members[0].callback(1)
            try members[1].errback(Spam(number: 1))
            try members[2].errback(Spam(number: 2))
            let error = #expect(throws: FirstError.self) { try list.result()?.get() }
            #expect(error?.index == 1 && error?.underlying as? Spam == Spam(number: 1))
            list.addErrback { _ in [] }
        }
    }

    @Test func fireOnEitherTakesWhicheverIsFirst() async throws {  // S26
        try await withReactor { _ in
            let members = (0..<2).map { _ in Deferred<Int>() }
            let list = Deferred(fireOnOneCallback: members, fireOnOneErrback: true, consumeErrors: true)
            try members[1].errback(Spam())
            let error = #expect(throws: FirstError.self) { try list.result()?.get() }
            #expect(error?.index == 1)
            try members[0].callback(0)
            list.addErrback { _ in .none(FailureGroup([])) }
        }
    }

    @Test func memberKeepsItsErrorUnlessErrorsAreConsumed() async throws {  // S27
        let reports = UnhandledErrorRecorder()
        try await withReactor { _ in
            for (line, consumes) in [(UInt(27), false), (28, true)] {
                let member = Deferred<Int>(file: "S27/Member.swift", line: line)
                var count = 0
                DeferredList([member], consumeErrors: consumes).addCallback { count = $0.count }
                try member.errback(Spam(number: Int(line)))
                #expect(count == 1)
            }
            #expect(reports.errors(ofLine: 27, file: "S27/Member.swift") == ["Spam(number: 27)"])
            #expect(reports.errors(ofLine: 28, file: "S27/Member.swift").isEmpty)
        }
    }

    @Test func memberGoesOnWithItsOutcome() async throws {  // S27
        try await withReactor { _ in
            var log: [String] = []
            let (good, bad) = (Deferred<Int>(), Deferred<Int>())
            DeferredList([good, bad]).addCallback { _ in log.append("list") }
            good.addCallback { log.append("\($0)") }
            bad.addErrback {
                log.append("\($0)")
                return 0
            }
            try good.callback(1)
            try bad.errback(Spam(number: 2))
            #expect(log == ["1", "list", "Spam(number: 2)"])
        }
    }

    @Test func cancelOfAnUnfiredListCancelsEveryMember() async throws {  // S28
        try await withReactor { _ in
            var cancelled: [Int] = []
            let members = (0..<3).map { number in Deferred<Int>(onCancel: { _ in cancelled.append(number) }) }
            let list = DeferredList(members, consumeErrors: true)
            try members[1].callback(1)
            list.cancel()
            #expect(cancelled == [0, 2])
            let outcomes = try list.result()?.get()
            #expect(outcomes?.count == 3)
            for index in [0, 2] {
                guard case .failure(let error)? = outcomes?[index] else { continue }
                #expect((error as? DeferredError)?.code == .cancelled)
            }
            list.cancel()
            #expect(cancelled == [0, 2])
        }
    }

    /// The canceller of the first fires the list's last member with an error: as near to a throw as a canceller comes.
    @Test func cancellerThatFiresAnotherMemberDoesNotStopTheRest() async throws {  // S28
        try await withReactor { _ in
            var cancelled: [Int] = []
            let last = Deferred<Int>(onCancel: { _ in cancelled.append(2) })
            let first = Deferred<Int>(onCancel: { _ in
                cancelled.append(0)
                try? last.errback(Spam())
            })
            let second = Deferred<Int>(onCancel: { _ in cancelled.append(1) })
            let list = DeferredList([first, second, last], consumeErrors: true)
            list.cancel()
            #expect(cancelled == [0, 1] && list.isCalled)
        }
    }

    @Test func cancelOfAFiredListDoesNothing() async throws {  // S28
        try await withReactor { _ in
            let members = (0..<2).map { _ in
                Deferred<Int>(onCancel: { _ in Issue.record("the list has fired") })
            }
            let list = Deferred(fireOnOneCallback: members)
            try members[0].callback(0)
            list.cancel()
            try members[1].callback(1)
        }
    }

    @Test func cancelReachesMembersThatNobodyHolds() async throws {  // S28
        try await withReactor { _ in
            var log: [String] = []
            let list = DeferredList(
                (0..<2).map { number in
                    Deferred<Int>(onCancel: { _ in log.append("cancel \(number)") }).addErrback {
                        log.append("errback \(number)")
                        throw $0
                    }
                }, consumeErrors: true
            ).addCallback { log.append("list \($0.count)") }
            list.cancel()
            #expect(log == ["cancel 0", "errback 0", "cancel 1", "errback 1", "list 2"])
        }
    }

    @Test func memberOfTwoListsIsReachedByBothWhenNobodyHoldsIt() async throws {  // S28
        try await withReactor { _ in
            var count = 0
            let lists = LastReference<[Result<Int, any Error>]>()
            let second: DeferredList<Int>
            do {
                let member = Deferred<Int>(onCancel: { _ in count += 1 })
                lists.deferred = DeferredList([member], consumeErrors: true)
                second = DeferredList([member, member], consumeErrors: true)
            }
            lists.deferred = nil
            second.cancel()
            #expect(count == 1 && second.isCalled)
            let outcomes = try second.result()?.get()
            #expect(outcomes?.count == 2)
        }
    }

    @Test func gatherResultsGivesTheValuesInOrder() async throws {  // S29
        try await withReactor { _ in
            let members = (0..<3).map { _ in Deferred<Int>() }
            let all = gatherResults(members)
            for index in [2, 0, 1] { try members[index].callback(index) }
            #expect(all.outcome == [0, 1, 2])
        }
    }

    @Test func gatherResultsFailsWithFirstError() async throws {  // S29
        try await withReactor { _ in
            let members = (0..<3).map { _ in Deferred<Int>() }
            let all = gatherResults(members, consumeErrors: true)
            try members[1].errback(Spam(number: 29))
            let error = #expect(throws: FirstError.self) { try all.result()?.get() }
            #expect("\(error!)" == "FirstError[#1, Spam(number: 29)]")
            try members[0].errback(Spam())
            all.addErrback { _ in [] }
        }
    }

    @Test func gatherResultsCancelsItsMembers() async throws {  // S28, S29
        try await withReactor { _ in
            var cancelled: [Int] = []
            let members = (0..<2).map { number in Deferred<Int>(onCancel: { _ in cancelled.append(number) }) }
            let all = gatherResults(members, consumeErrors: true)
            all.cancel()
            #expect(cancelled == [0, 1])
            #expect(throws: FirstError.self) { try all.result()?.get() }
            all.addErrback { _ in [] }
        }
    }

    @Test func listThatIsDroppedWithItsMembersIsFreed() async throws {
        let lives = Life.Count()
        try await withReactor { _ in
            @ReactorActor func members() -> [Deferred<Int>] {
                (0..<3).map { _ in
                    let life = Life(lives)
                    return Deferred<Int>(onCancel: { _ in life.keep() }).addCallback {
                        life.keep()
                        return $0
                    }
                }
            }
            do {
                let life = Life(lives)
                DeferredList(members()).addCallback { _ in life.keep() }
                gatherResults(members()).addCallback { _ in life.keep() }
                race(members()).addCallback { _ in life.keep() }
                _ = DeferredList([DeferredList(members()), DeferredList(members())])
            }
            #expect(lives.now == 0)
        }
    }
}
