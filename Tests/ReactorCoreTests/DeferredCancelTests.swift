import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct DeferredCancelTests {
    typealias Spam = DeferredTests.Spam

    @Test(arguments: [true, false])
    func cancelWithoutCancellerFailsTheChainAndForgivesOneLateCall(_ isValue: Bool) async throws {  // S14
        try await withReactor { _ in
            var got: (any Error)?
            let deferred = Deferred<Int>()
            deferred.addErrback {
                got = $0
                return 0
            }
            deferred.cancel()
            #expect((got as? DeferredError)?.code == .cancelled)
            @ReactorActor func fire() throws {
                if isValue { try deferred.callback(1) } else { try deferred.errback(Spam()) }
            }
            try fire()
            #expect(throws: DeferredError.self) { try fire() }
            #expect(deferred.outcome == 0)
        }
    }

    @Test func cancellerThatDoesNothingIsFollowedByCancelled() async throws {  // S15
        try await withReactor { _ in
            var given: [Bool] = []
            var got: (any Error)?
            let place = LastReference<Int>()
            let deferred = Deferred<Int> { given.append($0.isSame(as: place.deferred!)) }
            place.deferred = deferred
            deferred.addErrback {
                got = $0
                return 0
            }
            deferred.cancel()
            deferred.cancel()
            #expect(given == [true])
            #expect((got as? DeferredError)?.code == .cancelled)
            let error = #expect(throws: DeferredError.self) { try deferred.callback(1) }
            #expect(error?.code == .alreadyCalled)
        }
    }

    @Test func cancellerMayGiveAValue() async throws {  // S16
        try await withReactor { _ in
            var got = ""
            let deferred = Deferred<String>(onCancel: { try? $0.callback("hello!") })
            deferred.addCallback { got = $0 }
            deferred.cancel()
            #expect(got == "hello!")
        }
    }

    @Test func cancellerMayGiveAnErrorOfItsOwn() async throws {  // S16
        try await withReactor { _ in
            var got: (any Error)?
            let deferred = Deferred<String>(onCancel: { try? $0.errback(Spam(number: 16)) })
            deferred.addErrback {
                got = $0
                return ""
            }
            deferred.cancel()
            #expect(got as? Spam == Spam(number: 16))
        }
    }

    @Test(arguments: [true, false]) func cancelAfterFiringDoesNothing(_ isValue: Bool) async throws {  // S17
        try await withReactor { _ in
            var isCancelled = false
            let deferred = Deferred<Int>(onCancel: { _ in isCancelled = true })
            if isValue { try deferred.callback(1) } else { try deferred.errback(Spam()) }
            deferred.cancel()
            #expect(!isCancelled)
            let result = deferred.addErrback { ($0 as? Spam) == Spam() ? 1 : 2 }.result()
            #expect(try result?.get() == 1)
        }
    }

    @Test func repeatedCancelDoesNothing() async throws {  // S17
        try await withReactor { _ in
            let lives = Life.Count()
            var count = 0
            let life = Life(lives)
            let deferred = Deferred<Int> { _ in
                life.keep()
                count += 1
            }
            deferred.addErrback { _ in 0 }
            for _ in 0..<3 { deferred.cancel() }
            #expect(count == 1)
        }
    }

    @Test func cancelFromInsideTheCancellerDoesNothing() async throws {  // S17
        try await withReactor { _ in
            var log: [String] = []
            let deferred = Deferred<Int> {
                log.append("canceller")
                $0.cancel()
                log.append("again")
            }
            deferred.addErrback { _ in
                log.append("errback")
                return 0
            }
            deferred.cancel()
            #expect(log == ["canceller", "errback", "again"] || log == ["canceller", "again", "errback"])
            #expect(log.filter { $0 == "errback" }.count == 1)
        }
    }

    @Test func cancelWhileWaitingGoesToTheInnerDeferredOnly() async throws {  // S18
        try await withReactor { _ in
            var log: [String] = []
            let inner = Deferred<Int>(onCancel: { _ in log.append("inner") })
            let outer = Deferred<Void>(onCancel: { _ in log.append("outer") })
            let chained = outer.addCallback { inner }.addErrback {
                log.append("\(DeferredError.isCancellation($0))")
                return 0
            }
            try outer.callback(())
            chained.cancel()
            #expect(log == ["inner", "true"])
        }
    }

    @Test func cancelGoesToTheInnermostOfThree() async throws {  // S18
        try await withReactor { _ in
            var log: [String] = []
            let innermost = Deferred<Int>(onCancel: { _ in log.append("innermost") })
            let inner = Deferred.succeed(()).addCallback { innermost }
            let outer = Deferred.succeed(()).addCallback { inner }
            outer.addErrback { _ in
                log.append("cancelled")
                return 0
            }
            outer.cancel()
            #expect(log == ["innermost", "cancelled"])
        }
    }

    /// Nobody can fire the inner one any more, but its canceller and callbacks still belong to the chain.
    @Test func cancelReachesAnInnerDeferredThatNobodyHolds() async throws {  // S18
        try await withReactor { _ in
            var log: [String] = []
            let outer = Deferred.succeed(()).addCallback {
                Deferred.succeed(()).addCallback {
                    Deferred<Int>(onCancel: { _ in log.append("canceller") })
                        .addErrback {
                            log.append("innermost")
                            throw $0
                        }
                }.addErrback {
                    log.append("inner")
                    throw $0
                }
            }.addErrback { _ in
                log.append("outer")
                return 18
            }
            #expect(outer.isPaused && log.isEmpty)
            outer.cancel()
            #expect(log == ["canceller", "innermost", "inner", "outer"])
            let value = try outer.result()?.get()
            #expect(value == 18)
        }
    }

    /// The canceller gets hold of it again, and its maker may let go of the outer one.
    @Test func innerDeferredThatItsCancellerFiresLaterResumesTheOuterOne() async throws {  // S18
        try await withReactor { _ in
            var kept: Deferred<Int>?
            var got: [String] = []
            do {
                let outer = Deferred.succeed(()).addCallback {
                    Deferred<Int>().addErrback { _ in
                        let again = Deferred<Int>()
                        kept = again
                        return again
                    }
                }.addCallback { got.append("outer \($0)") }
                outer.cancel()
                #expect(outer.isPaused)
            }
            #expect(got.isEmpty)
            try kept?.callback(5)
            #expect(got == ["outer 5"])
        }
    }

    @Test func cancelEndsAWaitForWhatIsGoneForGood() async throws {
        try await withReactor { _ in
            var log: [String] = []
            let outer = Deferred.succeed(()).addCallback { () -> Deferred<Int> in
                let inner = Deferred.succeed(1)
                inner.pause()  // and nobody can unpause it
                return inner
            }.addErrback {
                log.append("\(DeferredError.isCancellation($0))")
                return 0
            }
            outer.cancel()
            #expect(log == ["true"])
        }
    }

    @Test func cancelOfAPausedDeferredThatHasFiredDoesNothing() async throws {  // S17
        try await withReactor { _ in
            let deferred = Deferred<Int>(onCancel: { _ in Issue.record("it has fired") })
            deferred.pause()
            try deferred.callback(1)
            deferred.cancel()
            deferred.unpause()
            #expect(deferred.outcome == 1)
        }
    }

    @Test func cancellerIsReleasedByFiring() async throws {  // S13
        try await withReactor { _ in
            let lives = Life.Count()
            @ReactorActor func make() -> Deferred<Int> {
                let life = Life(lives)
                return Deferred { _ in life.keep() }
            }
            let (fired, failed, cancelled, waiting) = (make(), make(), make(), make())
            #expect(lives.now == 4)
            try fired.callback(1)
            try failed.errback(Spam())
            cancelled.cancel()
            let inner = Deferred<Int>()
            waiting.addCallback { _ in inner }
            try waiting.callback(1)
            #expect(lives.now == 0 && waiting.isPaused)
            for deferred in [failed, cancelled] { deferred.addErrback { _ in 0 } }
        }
    }
}

// MARK: async (S19)

extension DeferredCancelTests {
    @Test func cancelOfAnAsyncWrapperCancelsWhatItAwaitsAtOnce() async throws {  // S19
        try await withReactor { reactor in
            var isCancelled = false
            let awaited = Deferred<Int>(onCancel: { _ in isCancelled = true })
            let wrapper = Deferred<Int>(async: { try await awaited.value })
            await reactor.yield()
            wrapper.cancel()
            #expect(isCancelled)
            let error = await #expect(throws: DeferredError.self) { try await wrapper.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func asyncWrapperMayTranslateACancellationToAValue() async throws {  // S19
        try await withReactor { reactor in
            let awaited = Deferred<Int>()
            let wrapper = Deferred<String>(async: {
                do { return "\(try await awaited.value)" } catch let error as DeferredError
                    where error.code == .cancelled
                { return "translated" }
            })
            await reactor.yield()
            wrapper.cancel()
            let value = try await wrapper.value
            #expect(value == "translated")
        }
    }

    @Test func asyncWrapperMayTranslateACancellationToAnError() async throws {  // S19
        try await withReactor { reactor in
            let awaited = Deferred<Int>()
            let wrapper = Deferred<Int>(async: {
                do { return try await awaited.value } catch { throw Spam(number: 19) }
            })
            await reactor.yield()
            wrapper.cancel()
            await #expect(throws: Spam(number: 19)) { try await wrapper.value }
        }
    }

    @Test func asynchronousCleanUpOfACancelledWrapperIsAwaited() async throws {  // S19
        try await withReactor { reactor in
            var log: [String] = []
            let (awaited, cleaned) = (Deferred<Int>(), Deferred<Void>())
            let wrapper = Deferred<Int>(async: {
                do { return try await awaited.value } catch {
                    log.append("cleaning")
                    // The task is cancelled for good; what is to be awaited all the same goes to a task of its own.
                    try? await Task(executorPreference: reactor, operation: { try await cleaned.value }).value
                    log.append("clean")
                    throw error
                }
            })
            await reactor.yield()
            wrapper.cancel()
            for _ in 0..<10 { await reactor.yield() }
            #expect(log == ["cleaning"] && !wrapper.isCalled)
            try cleaned.callback(())
            await #expect(throws: DeferredError.self) { try await wrapper.value }
            #expect(log == ["cleaning", "clean"])
        }
    }

    @Test func cancelGoesThroughStackedWrappers() async throws {  // S19
        try await withReactor { reactor in
            var isCancelled = false
            let awaited = Deferred<Int>(onCancel: { _ in isCancelled = true })
            let inner = Deferred<Int>(async: { try await awaited.value })
            let outer = Deferred<Int>(async: { try await inner.value + 1 })
            for _ in 0..<5 { await reactor.yield() }
            outer.cancel()
            let error = await #expect(throws: DeferredError.self) { try await outer.value }
            #expect(isCancelled && error?.code == .cancelled)
        }
    }

    @Test func cancelOfAnAsyncCallbackCancelsItsTask() async throws {  // S19
        try await withReactor { reactor in
            let deferred = Deferred.succeed(1).addCallback { number async throws -> Int in
                try await reactor.sleep(for: .seconds(3600))
                return number
            }
            for _ in 0..<5 { await reactor.yield() }
            deferred.cancel()
            await #expect(throws: CancellationError.self) { try await deferred.value }
        }
    }

    @Test func cancellingTheAwaitingTaskCancelsTheDeferred() async throws {
        try await withReactor { reactor in
            var isCancelled = false
            let deferred = Deferred<Int>(onCancel: { _ in isCancelled = true })
            let task = deferred.task()
            await reactor.yield()
            await reactor.yield()
            task.cancel()
            let result = await task.result
            #expect(isCancelled)
            #expect(throws: DeferredError.self) { try result.get() }
        }
    }
}
