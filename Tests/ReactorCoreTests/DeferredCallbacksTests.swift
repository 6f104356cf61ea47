import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct DeferredCallbacksTests {
    typealias Spam = DeferredTests.Spam

    @Test func thrownErrorGoesToTheNextErrbackAndItsValueBack() async throws {  // S4
        try await withReactor { _ in
            var log: [String] = []
            Deferred.succeed(1)
                .addCallback { _ -> Int in throw Spam(number: 1) }
                .addCallback {
                    log.append("skipped")
                    return $0
                }
                .addErrback {
                    log.append("\($0)")
                    return 7
                }
                .addErrback { _ in
                    log.append("skipped")
                    return 8
                }
                .addCallback { log.append("got \($0)") }
            #expect(log == ["Spam(number: 1)", "got 7"])
        }
    }

    @Test func errbackThatThrowsReplacesTheError() async throws {  // S4
        try await withReactor { _ in
            var got: (any Error)?
            Deferred<Int>.fail(Spam(number: 1))
                .addErrback { _ in throw Spam(number: 2) }
                .addErrback {
                    got = $0
                    return 0
                }
            #expect(got as? Spam == Spam(number: 2))
        }
    }

    @Test func thrownFailureStandsForItsError() async throws {  // S4
        try await withReactor { _ in
            var got: (any Error)?
            Deferred.succeed(1)
                .addCallback { _ -> Int in throw Failure(Spam(number: 4)) }
                .addErrback {
                    got = $0
                    return 0
                }
            #expect(got as? Spam == Spam(number: 4))
        }
    }

    @Test func addCallbacksWithoutErrbackPassesErrorsThrough() async throws {  // S5
        try await withReactor { _ in
            var got: (any Error)?
            Deferred<Int>.fail(Spam()).addCallbacks { $0 + 1 }.addErrback {
                got = $0
                return 0
            }
            #expect(got as? Spam == Spam())
        }
    }

    @Test func errbackBesideACallbackDoesNotSeeWhatItThrows() async throws {
        try await withReactor { _ in
            var log: [String] = []
            Deferred.succeed(1).addCallbacks(
                { _ -> Int in throw Spam(number: 5) },
                { _ in
                    log.append("seen"); return 0
                }
            )
            .addErrback {
                log.append("\($0)")
                return 0
            }
            Deferred<Int>.fail(Spam()).addCallbacks({ $0 }, { _ in 9 }).addCallback { log.append("\($0)") }
            #expect(log == ["Spam(number: 5)", "9"])
        }
    }

    @Test func callbackAddedByARunningCallbackRunsAfterIt() async throws {  // S6
        try await withReactor { _ in
            var log: [Int] = []
            let deferred = Deferred<Void>()
            deferred.addCallback {
                log.append(1)
                deferred.addCallback { log.append(3) }
                log.append(2)
            }
            try deferred.callback(())
            #expect(log == [1, 2, 3])
        }
    }

    @Test func callbackAddedByARunningCallbackRunsAfterThoseAddedBefore() async throws {  // S6
        try await withReactor { _ in
            var log: [Int] = []
            let deferred = Deferred.succeed(())
            deferred.pause()
            deferred.addCallback {
                log.append(1)
                deferred.addCallback { log.append(4) }
            }
            deferred.addCallback { log.append(2) }
            deferred.addCallback { log.append(3) }
            deferred.unpause()
            #expect(log == [1, 2, 3, 4])
        }
    }

    @Test func chainDeferredFiresTheOther() async throws {
        try await withReactor { _ in
            let (first, second, third) = (Deferred<Int>(), Deferred<Int>(), Deferred<Int>())
            first.chainDeferred(second)
            try first.callback(3)
            #expect(second.outcome == 3)
            Deferred<Int>.fail(Spam()).chainDeferred(third)
            #expect(throws: Spam.self) { try third.result()?.get() }
            third.addErrback { _ in 0 }
        }
    }

    @Test func chainingToAFiredDeferredIsThisOnesError() async throws {
        try await withReactor { _ in
            let other = Deferred.succeed(1)
            var code: DeferredError.Code?
            Deferred.succeed(2).chainDeferred(other).addErrback { code = ($0 as? DeferredError)?.code }
            #expect(code == .alreadyCalled)
        }
    }

    @Test func asyncCallbackHoldsTheChain() async throws {
        try await withReactor { reactor in
            let value = try await Deferred.succeed(2).addCallback { number async throws -> Int in
                try await reactor.sleep(for: .milliseconds(1))
                return number * 3
            }.value
            #expect(value == 6)
        }
    }

    @Test func asyncErrbackAndBothHoldTheChain() async throws {
        try await withReactor { reactor in
            let recovered = try await Deferred<Int>.fail(Spam(number: 4)).addErrback {
                error async throws -> Int in
                await reactor.yield()
                return (error as? Spam)?.number ?? 0
            }.value
            let both = try await Deferred<Int>.fail(Spam(number: 5)).addBoth { result async throws -> Bool in
                await reactor.yield()
                return (try? result.get()) == nil
            }.value
            #expect(recovered == 4 && both)
        }
    }

    @Test func asyncCallbackThatThrowsFailsTheChain() async throws {
        try await withReactor { reactor in
            let deferred = Deferred.succeed(2).addCallback { _ async throws -> Int in
                await reactor.yield()
                throw Spam(number: 6)
            }
            await #expect(throws: Spam(number: 6)) { try await deferred.value }
        }
    }

    @Test func tailOfACallbackQueueThatIsNeverEmptyDoesNotGrow() {
        var queue = StageQueue()
        let body = StageBody<Int, Int> { $0 }
        var number: UInt = 0
        func add() {
            number += 1
            queue.append(
                DeferredStage(body, CallSite(text: nil, number), StageRunners.callback(Int.self, Int.self)))
        }
        for _ in 0..<10 { add() }
        var expected: UInt32 = 0
        for round in 0..<100_000 {
            add()
            if round % 7 == 0 { add() }
            for _ in 0..<(round % 7 == 1 ? 2 : 1) {
                let stage = queue.next()
                expected += 1
                guard stage.site.line == expected else {
                    Issue.record("\(stage.site.line) came for \(expected)")
                    return
                }
                stage.drop()
            }
        }
        #expect(queue.overflowCount < 2_000)
        for stage in queue.takeAll() { stage.drop() }
    }
}
