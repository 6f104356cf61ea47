import ReactorTesting
import Testing

@testable import ReactorCore

/// Numbers in comments are the behaviours that Twisted's test_defer.py pins down.
@Suite struct DeferredTests {
    struct Spam: Error, Equatable { var number = 0 }

    @Test func eachCallbackReceivesWhatTheOneBeforeReturned() async throws {  // S1
        try await withReactor { _ in
            var log: [Int] = []
            let deferred = Deferred<Int>()
            deferred.addCallback {
                log.append($0)
                return $0 + 1
            }
            .addCallback {
                log.append($0)
                return "\($0 + 1)"
            }
            .addCallback { (text: String) in log.append(Int(text)!) }
            try deferred.callback(0)
            #expect(log == [0, 1, 2], "all ran before callback() returned")
        }
    }

    @Test func callbackAddedAfterFiringRunsAtOnce() async throws {  // S2
        try await withReactor { _ in
            var got = 0
            Deferred.succeed(5).addCallback { got = $0 }
            #expect(got == 5)
        }
    }

    @Test func errbackAddedAfterFailingRunsAtOnce() async throws {  // S2
        try await withReactor { _ in
            var got: (any Error)?
            Deferred<Int>.fail(Spam(number: 2)).addErrback {
                got = $0
                return 0
            }
            #expect(got as? Spam == Spam(number: 2))
        }
    }

    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)])
    func secondFiringIsAnErrorAndTheFirstOutcomeStays(_ calls: (Bool, Bool)) async throws {  // S3
        try await withReactor { _ in
            var outcomes: [String] = []
            let deferred = Deferred<Int>()
            deferred.addBoth { outcomes.append("\($0)") }
            @ReactorActor func fire(_ isValue: Bool, _ number: Int) throws {
                if isValue {
                    try deferred.callback(number)
                } else {
                    try deferred.errback(Spam(number: number))
                }
            }
            // The handle's type has changed, but firing goes by the chain.
            try fire(calls.0, 1)
            for number in 2...3 {
                let error = #expect(throws: DeferredError.self) { try fire(calls.1, number) }
                #expect(error?.code == .alreadyCalled)
            }
            #expect(outcomes.count == 1 && outcomes[0].contains("1"))
        }
    }

    @Test func firingFromInsideACallbackIsAnErrorThere() async throws {  // S3
        try await withReactor { _ in
            let deferred = Deferred<Int>()
            var code: DeferredError.Code?
            deferred.addCallback { _ in
                do { try deferred.callback(2) } catch { code = (error as? DeferredError)?.code }
            }
            try deferred.callback(1)
            #expect(code == .alreadyCalled)
        }
    }

    @Test func alreadyCalledNamesBothPlaces() async throws {  // S3
        try await withReactor { _ in
            let deferred = Deferred<Int>(file: "Here/Made.swift", line: 1)
            try deferred.callback(1)
            let error = #expect(throws: DeferredError.self) {
                try deferred.callback(2, file: "Here/Again.swift", line: 3)
            }
            #expect(error?.message.contains("Here/Made.swift:1") == true)
            #expect(error?.message.contains("Here/Again.swift:3") == true)
        }
    }

    @Test func pauseIsCounted() async throws {  // S10
        try await withReactor { _ in
            var got = 0
            let deferred = Deferred<Int>()
            deferred.addCallback { got = $0 }
            deferred.pause()
            deferred.pause()
            try deferred.callback(4)
            deferred.unpause()
            #expect(got == 0 && deferred.isPaused)
            deferred.unpause()
            #expect(got == 4 && !deferred.isPaused)
        }
    }

    @Test func pausedFailureWaitsForUnpause() async throws {  // S10
        try await withReactor { _ in
            var log: [String] = []
            let deferred = Deferred<Int>()
            deferred.addErrback {
                log.append("\($0)"); return 0
            }
            deferred.pause()
            try deferred.errback(Spam(number: 10))
            #expect(log.isEmpty)
            deferred.unpause()
            #expect(log == ["Spam(number: 10)"])
        }
    }

    @Test func callbackThatPausesHoldsTheNextOne() async throws {  // S10
        try await withReactor { _ in
            var log: [Int] = []
            let deferred = Deferred<Int>()
            deferred.addCallback { number -> Int in
                deferred.pause()
                log.append(number)
                return number + 1
            }
            .addCallback { log.append($0) }
            try deferred.callback(1)
            #expect(log == [1])
            deferred.unpause()
            #expect(log == [1, 2])
        }
    }

    @Test func pausedInnerDeferredHoldsTheOuterOne() async throws {  // S10
        try await withReactor { _ in
            let inner = Deferred.succeed(6)
            inner.pause()
            var got = 0
            Deferred.succeed(()).addCallback { inner }.addCallback { got = $0 }
            #expect(got == 0)
            inner.unpause()
            #expect(got == 6)
        }
    }

    @Test func resultIsWhatTheChainHasComeTo() async throws {
        try await withReactor { _ in
            let deferred = Deferred<Int>()
            #expect(deferred.result() == nil)
            try deferred.callback(1)
            #expect(deferred.outcome == 1)
            #expect(deferred.outcome == 1, "it stays")
            let next = deferred.addCallback { number in
                #expect(deferred.chain.peek(Int.self) == nil, "a callback has it")
                return "\(number)"
            }
            #expect(next.outcome == "1")
            next.pause()
            let last = next.addCallback { $0 + "!" }
            #expect(last.result() == nil, "the callback that is held will change it")
            last.unpause()
            #expect(last.outcome == "1!")
        }
    }

    @Test func twoHandlesOfOneChainAreTheSame() async throws {
        try await withReactor { _ in
            let deferred = Deferred<Int>()
            #expect(deferred.isSame(as: deferred.addCallback { "\($0)" }))
            #expect(!deferred.isSame(as: Deferred<Int>()))
        }
    }

    @Test func resultFiresEitherWay() async throws {
        try await withReactor { _ in
            let (good, bad) = (Deferred<Int>(), Deferred<Int>())
            try good.fire(with: .success(1))
            try bad.fire(with: .failure(Spam()))
            #expect(good.outcome == 1)
            #expect(throws: Spam.self) { try bad.result()?.get() }
            bad.addErrback { _ in 0 }
        }
    }
}

// MARK: Misuse

extension DeferredTests {
    @Test func unpausingWhileWaitingForAnotherDeferredTraps() async {  // S10
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let outer = Deferred.succeed(()).addCallback { Deferred<Int>() }
                outer.unpause()
            }
        }
        #expect(exit.said("unpause() without pause() on the Deferred made at"))
    }

    /// Through a handle of another type a value would be read as what it is not.
    @Test func firingThroughALaterHandleOfAnotherTypeTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let deferred = Deferred<Int>(file: "Here/Made.swift", line: 1)
                let text = deferred.addCallback { "\($0)" }
                try text.callback("not a number", file: "Here/Fired.swift", line: 2)
            }
        }
        #expect(exit.said("made at Here/Made.swift:1 is fired with Int, not String as at Here/Fired.swift:2"))
    }

    @Test func callbackAddedThroughAnOutdatedHandleTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let deferred = Deferred<Int>()
                deferred.addCallback({ "\($0)" }, file: "Here/Changed.swift", line: 1)
                deferred.addCallback({ print($0 + 1) }, file: "Here/Outdated.swift", line: 2)
            }
        }
        #expect(
            exit.said(
                "carries String since Here/Changed.swift:1, and at Here/Outdated.swift:2 a handle for Int"))
    }

    @Test func lookingThroughAnOutdatedHandleTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let deferred = Deferred.succeed(1)
                deferred.addCallback { "\($0)" }
                print(deferred.result() as Any)
            }
        }
        #expect(exit.said("a handle for Int"))
    }

    @Test func awaitingThroughAnOutdatedHandleTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let deferred = Deferred.succeed(1)
                deferred.addCallback { "\($0)" }
                print(try await deferred.value)
            }
        }
        #expect(exit.said("a handle for Int"))
    }

    @Test func listOfAnOutdatedHandleTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let deferred = Deferred<Int>()
                deferred.addCallback { "\($0)" }
                _ = DeferredList([deferred])
            }
        }
        #expect(exit.said("a handle for Int"))
    }

    @Test func chainingOnAnInnerDeferredThatGaveUpItsValueTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let inner = Deferred.succeed([1, 2, 3])
                Deferred.succeed(()).addCallback({ inner }, file: "Here/Returned.swift", line: 1)
                    .addCallback { _ in }
                inner.addCallback { print($0.count) }
            }
        }
        #expect(exit.said("carries () since Here/Returned.swift:1"))
    }

    @Test func returningOneDeferredFromTwoCallbacksTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let inner = Deferred<[Int]>()
                Deferred.succeed(()).addCallback({ inner }, file: "Here/First.swift", line: 1)
                    .addCallback { _ in }
                Deferred.succeed(()).addCallback({ inner }, file: "Here/Second.swift", line: 2)
                    .addCallback { print($0.count) }
            }
        }
        #expect(exit.said("carries () since Here/First.swift:1, and at Here/Second.swift:2"))
    }

    @Test func olderHandleOfTheSameTypeStaysGood() async throws {
        try await withReactor { _ in
            var log: [Int] = []
            let deferred = Deferred<Int>()
            deferred.addCallback { $0 + 1 }
            deferred.addCallback {
                log.append($0)
                return $0
            }
            try deferred.callback(1)
            deferred.addCallback { log.append($0 * 10) }
            #expect(log == [2, 20])
        }
    }
}

extension Optional<ExitTest.Result> {
    /// Whether the process's last words hold `words`.
    func said(_ words: String) -> Bool {
        String(decoding: self?.standardErrorContent ?? [], as: UTF8.self).contains(words)
    }
}
