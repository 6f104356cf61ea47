import CoreMetrics
import Greenlets
import ReactorCore
import ReactorMetrics
import ReactorTesting
import TestMetrics
import Testing

@Suite struct ReactorMetricsTests {
    @Test func reportsGoToTheFactoryAtTheirInterval() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            let factory = TestMetrics()
            let metrics = reactor.reportMetrics(
                every: .seconds(1), dimensions: [("loop", "main")], factory: factory)
            let channel = Channel<Int>()
            let reader = Greenlet.spawn { () throws -> Int in try channel.receive() }
            let sleeper = Greenlet.spawn { try await reactor.sleep(for: .seconds(5)) }
            await clock.pump([.zero, .milliseconds(999)])
            #expect(factory.values.isEmpty)
            await clock.pump([.milliseconds(1)])
            #expect(factory["reactor_greenlets"] == [2])
            #expect(factory["reactor_timers"] == [1])
            #expect(factory["reactor_parked reason=subject"] == [1])
            #expect(factory["reactor_parked reason=time"] == [1])
            #expect(factory["reactor_thread_pool_queued"] == [0])
            #expect(factory["reactor_loop_lag_nanoseconds"] == [0])
            #expect((factory["reactor_turns_total"].first ?? 0) > 0)
            #expect((factory["reactor_jobs_total"].first ?? 0) > 0)

            _ = try channel.trySend(1)
            try await reader.join()
            // The loop was held up, so the timer comes late.
            await clock.pump([.milliseconds(1250)])
            #expect(factory["reactor_loop_lag_nanoseconds"].last == 250_000_000)
            #expect(factory["reactor_greenlets"].last == 1)
            #expect(factory["reactor_parked reason=subject"].last == 0)

            metrics.stop()
            let count = factory.values.count
            await clock.pump([.seconds(1)])
            #expect(factory.values.count == count)
            try await sleeper.kill()
        }
    }

    @Test func droppedReportsEnd() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            let factory = TestMetrics()
            _ = reactor.reportMetrics(every: .seconds(1), factory: factory)
            await clock.pump([.seconds(1), .seconds(1)])
            #expect(factory.values.isEmpty)
            #expect(reactor.delayedCallCount == 0)
        }
    }
}
