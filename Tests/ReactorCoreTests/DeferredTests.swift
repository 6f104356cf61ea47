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
                log.append($0); return $0 + 1
            }
            .addCallback {
                log.append($0); return "\($0 + 1)"
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
            let error = #expect(throws: DeferredError.self) { try fire(calls.1, 2) }
            #expect(error?.code == .alreadyCalled)
            #expect(outcomes.count == 1 && outcomes[0].contains("1"))
        }
    }

    @Test func thrownErrorGoesToTheNextErrbackAndItsValueBack() async throws {  // S4
        try await withReactor { _ in
            var log: [String] = []
            Deferred.succeed(1)
                .addCallback { _ -> Int in throw Spam(number: 1) }
                .addCallback {
                    log.append("skipped"); return $0
                }
                .addErrback {
                    log.append("\($0)"); return 7
                }
                .addErrback { _ in
                    log.append("skipped"); return 8
                }
                .addCallback { log.append("got \($0)") }
            #expect(log == ["Spam(number: 1)", "got 7"])
        }
    }

    @Test func addCallbacksWithoutErrbackPassesErrorsThrough() async throws {  // S5
        try await withReactor { _ in
            var got: (any Error)?
            Deferred<Int>.fail(Spam()).addCallbacks { $0 + 1 }.addErrback {
                got = $0; return 0
            }
            #expect(got as? Spam == Spam())
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

    @Test func returnedDeferredHoldsTheChainAndGivesUpItsResult() async throws {  // S7
        try await withReactor { _ in
            var got = 0
            let inner = Deferred<Int>()
            let outer = Deferred<Void>()
            outer.addCallback { inner }.addCallback { got = $0 }
            try outer.callback(())
            #expect(outer.isPaused && got == 0)
            try inner.callback(42)
            #expect(got == 42 && !outer.isPaused)
        }
    }

    @Test func failedInnerDeferredFailsTheOuterAndIsNotReported() async throws {  // S8, S13
        let reports = UnhandledErrorRecorder()
        try await withReactor { _ in
            var got: (any Error)?
            let inner = Deferred<Int>()
            let outer = Deferred<Void>()
            outer.addCallback { inner }.addErrback {
                got = $0; return 0
            }
            try outer.callback(())
            try inner.errback(Spam(number: 8))
            #expect(got as? Spam == Spam(number: 8))
        }
        #expect(reports.errors(ofLine: #line - 5).isEmpty)
    }

    @Test func settledInnerDeferredIsTakenOverAtOnce() async throws {
        try await withReactor { _ in
            var got = 0
            Deferred.succeed(()).addCallback { Deferred.succeed(3) }.addCallback { got = $0 }
            #expect(got == 3)
        }
    }

    @Test func chainingIsTransitive() async throws {  // S9
        try await withReactor { _ in
            let innermost = Deferred<Int>()
            var got = 0
            Deferred.succeed(())
                .addCallback {
                    Deferred.succeed(()).addCallback { Deferred.succeed(()).addCallback { innermost } }
                }
                .addCallback { got = $0 }
            try innermost.callback(9)
            #expect(got == 9)
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
            #expect(got == 0)
            deferred.unpause()
            #expect(got == 4)
        }
    }

    @Test func callbackReturningItsOwnDeferredIsAnErrorNotAHang() async throws {  // S11
        try await withReactor { _ in
            let deferred = Deferred<Int>()
            var got: (any Error)?
            deferred.addCallback { _ in deferred }.addErrback {
                got = $0; return 0
            }
            try deferred.callback(1)
            #expect((got as? DeferredError)?.code == .circularChain)
        }
    }

    @Test func unhandledErrorIsReportedOnceAtRelease() async throws {  // S13
        let reports = UnhandledErrorRecorder()
        try await withReactor { _ in
            var deferred: Deferred<Int>? = Deferred<Int>.fail(Spam(number: 13))
            #expect(reports.errors(ofLine: #line - 1).isEmpty, "not before the last reference is gone")
            #expect(deferred?.isCalled == true)
            deferred = nil
            #expect(reports.errors(ofLine: #line - 4) == ["Spam(number: 13)"])
        }
    }

    @Test func handledErrorIsNeverReported() async throws {  // S13
        let reports = UnhandledErrorRecorder()
        try await withReactor { _ in
            Deferred<Int>.fail(Spam()).addErrback { _ in 0 }
        }
        #expect(reports.errors(ofLine: #line - 2).isEmpty)
    }

    @Test func cancelWithoutCancellerFailsTheChainAndForgivesOneLateCall() async throws {  // S14
        try await withReactor { _ in
            var got: (any Error)?
            let deferred = Deferred<Int>()
            deferred.addErrback {
                got = $0; return 0
            }
            deferred.cancel()
            #expect((got as? DeferredError)?.code == .cancelled)
            try deferred.callback(1)
            #expect(throws: DeferredError.self) { try deferred.callback(2) }
        }
    }

    @Test func cancellerMayGiveItsOwnOutcome() async throws {  // S16
        try await withReactor { _ in
            var got = ""
            let deferred = Deferred<String>(onCancel: { try? $0.callback("hello!") })
            deferred.addCallback { got = $0 }
            deferred.cancel()
            #expect(got == "hello!")
        }
    }

    @Test func cancelWhileWaitingGoesToTheInnerDeferred() async throws {  // S18
        try await withReactor { _ in
            var log: [String] = []
            let inner = Deferred<Int>(onCancel: { _ in log.append("inner") })
            let outer = Deferred<Void>(onCancel: { _ in log.append("outer") })
            let chained = outer.addCallback { inner }.addErrback {
                log.append("\($0)".prefix(3) + "…"); return 0
            }
            try outer.callback(())
            chained.cancel()
            #expect(log == ["inner", "the…"])
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

    @Test func cancellingTheAwaitingTaskCancelsTheDeferred() async throws {
        try await withReactor { reactor in
            var isCancelled = false
            let deferred = Deferred<Int>(onCancel: { _ in isCancelled = true })
            let task = Task { @ReactorActor in try await deferred.value }
            await reactor.yield()
            await reactor.yield()
            task.cancel()
            let result = await task.result
            #expect(isCancelled)
            #expect(throws: DeferredError.self) { try result.get() }
        }
    }

    @Test func tenThousandChainedDeferredsDoNotDeepenTheStack() async throws {  // S12, in part
        try await withReactor { _ in
            let first = Deferred<Int>()
            var last: Deferred<Int> = first
            for _ in 0..<10_000 {
                let next = last
                last = Deferred.succeed(0).addCallback { _ in next }
            }
            var got = 0
            last.addCallback { got = $0 }
            try first.callback(11)
            #expect(got == 11)
        }
    }
}

// MARK: Types, cancellation, release

extension DeferredTests {
    /// Through a handle of another type a value would be read as what it is not.
    @Test func firingThroughALaterHandleOfAnotherTypeTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let deferred = Deferred<Int>()
                let text = deferred.addCallback { "\($0)" }
                try text.callback("not a number")
            }
        }
        #expect(said(exit, "is fired with Int"))
    }

    @Test func chainingOnAnInnerDeferredThatGaveUpItsValueTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let inner = Deferred.succeed([1, 2, 3])
                Deferred.succeed(()).addCallback { inner }.addCallback { _ in }
                inner.addCallback { print($0.count) }
            }
        }
        #expect(said(exit, "carries () since"))
    }

    @Test func returningOneDeferredFromTwoCallbacksTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let inner = Deferred<[Int]>()
                Deferred.succeed(()).addCallback { inner }.addCallback { _ in }
                Deferred.succeed(()).addCallback { inner }.addCallback { print($0.count) }
                try inner.callback([1, 2, 3])
            }
        }
        #expect(said(exit, "carries () since"))
    }

    @Test func innerDeferredGoesOnAsVoidAfterItGaveUpItsValue() async throws {  // S7
        try await withReactor { _ in
            let inner = Deferred<Void>()
            var log: [String] = []
            Deferred.succeed(()).addCallback { inner }.addCallback { log.append("outer") }
            try inner.callback(())
            inner.addCallback { log.append("inner") }
            #expect(log == ["outer", "inner"])
        }
    }

    /// As in Twisted: an unfired Deferred that is cancelled has failed, and nobody who listened was told.
    @Test func cancellationThatNobodyHandlesIsReported() async throws {
        let reports = UnhandledErrorRecorder()
        try await withReactor { _ in
            Deferred<Int>().cancel()
            #expect(reports.errors(ofLine: #line - 1).count == 1)
            // A task's own cancellation is no error that anybody waits to hear of.
            _ = Deferred<Int>.fail(CancellationError())
            #expect(reports.errors(ofLine: #line - 1).isEmpty)
        }
    }

    @Test func longChainFiresAndIsFreed() async throws {  // S12
        try await withReactor { _ in
            weak var watched: Token?
            do {
                let token = Token()
                watched = token
                try link(20_000, holding: token)
            }
            #expect(watched == nil)
        }
    }

    private func said(_ exit: ExitTest.Result?, _ words: String) -> Bool {
        String(decoding: exit?.standardErrorContent ?? [], as: UTF8.self).contains(words)
    }

    @ReactorActor private func link(_ count: Int, holding token: Token) throws {
        let first = Deferred<Int>()
        var last: Deferred<Int> = first
        for _ in 0..<count {
            let next = last
            last = Deferred.succeed(0).addCallback { _ in withExtendedLifetime(token) { next } }
        }
        var got = 0
        last.addCallback { got = $0 }
        try first.callback(11)
        #expect(got == 11)
    }

    @Test func cancellerRunsOnceAndIsReleasedByFiring() async throws {  // S13, S17
        try await withReactor { _ in
            weak var watched: Token?
            var count = 0
            let deferred: Deferred<Int>
            do {
                let token = Token()
                watched = token
                deferred = Deferred { _ in withExtendedLifetime(token) { count += 1 } }
            }
            #expect(watched != nil)
            deferred.addErrback { _ in 0 }
            deferred.cancel()
            deferred.cancel()
            #expect(count == 1)
            #expect(watched == nil)
        }
    }
}

private final class Token: Sendable {}
