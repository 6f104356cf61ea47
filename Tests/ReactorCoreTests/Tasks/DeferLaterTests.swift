import ReactorCore
import ReactorTesting
import Testing

@Suite struct DeferLaterTests {
    private struct Broken: Error {}

    @Test func bodyRunsWhenTheDelayIsOverAndItsValueIsTheOutcome() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var got: [String] = []
            reactor.deferLater(.seconds(3)) { "now" }.addCallback { got.append($0) }
            clock.advance(by: .seconds(2))
            for _ in 0..<10 { await reactor.yield() }
            #expect(got.isEmpty)
            clock.advance(by: .seconds(1))
            while got.isEmpty { await reactor.yield() }
            #expect(got == ["now"])
        }
    }

    @Test func withoutBodyItFiresWithNothing() async throws {  // S20
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            try await reactor.deferLater(.seconds(2)).value
            #expect(reactor.now == ReactorInstant(nanoseconds: 2_000_000_000))
        }
    }

    @Test func errorOfTheBodyGoesToTheErrback() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor async throws in
            let deferred = reactor.deferLater(.seconds(1)) { throw Broken() }
            await #expect(throws: Broken.self) { try await deferred.value }
        }
    }

    @Test func deferredThatTheBodyReturnsIsWaitedFor() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let outer = reactor.deferLater(.seconds(1)) { reactor.deferLater(.seconds(2)) { 7 } }
            let value = try await outer.value
            #expect(value == 7)
            #expect(reactor.now == ReactorInstant(nanoseconds: 3_000_000_000))
        }
    }

    @Test func asyncBodyIsWaitedFor() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let deferred = reactor.deferLater(.seconds(1)) {
                try await reactor.sleep(for: .seconds(2))
                return 7
            }
            let value = try await deferred.value
            #expect(value == 7)
            #expect(reactor.now == ReactorInstant(nanoseconds: 3_000_000_000))
        }
    }

    @Test func cancelledBeforeItLeavesNoTimerAndTheBodyNeverRuns() async throws {  // S20
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var hasRun = false
            var error: (any Error)?
            let deferred = reactor.deferLater(.seconds(1)) { hasRun = true }
            deferred.addErrback { error = $0 }
            deferred.cancel()
            #expect((error as? DeferredError)?.code == .cancelled)
            #expect(reactor.delayedCallCount == 0)
            clock.advance(by: .seconds(2))
            for _ in 0..<10 { await reactor.yield() }
            #expect(!hasRun)
        }
    }

    @Test func cancelledAfterwardsItCancelsWhatTheBodyBegan() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var wasCancelled = false
            var error: (any Error)?
            let deferred = reactor.deferLater(.zero) {
                Deferred<Void>(onCancel: { _ in wasCancelled = true })
            }
            deferred.addErrback { error = $0 }
            while !deferred.isPaused { await reactor.yield() }
            deferred.cancel()
            #expect(wasCancelled)
            #expect((error as? DeferredError)?.code == .cancelled)
        }
    }

    @Test func handleMayBeDropped() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            var hasRun = false
            _ = reactor.deferLater(.seconds(1)) { hasRun = true }
            try await reactor.sleep(for: .seconds(2))
            #expect(hasRun)
        }
    }

    @Test func negativeDelayIsACallersMistake() async {
        await #expect(processExitsWith: .failure) {
            try await withReactor { reactor in _ = reactor.deferLater(.seconds(-1)) }
        }
    }
}
