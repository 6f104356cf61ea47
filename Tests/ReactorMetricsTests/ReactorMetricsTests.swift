import CoreMetrics
import Greenlets
import ReactorCore
import ReactorMetrics
import ReactorTesting
import Synchronization
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

/// Remembers what is recorded, by label and `reason`.
private final class TestMetrics: MetricsFactory, Sendable {
    private let recorded = Mutex<[(name: String, value: Double)]>([])

    var values: [Double] { recorded.withLock { $0.map(\.value) } }
    subscript(_ name: String) -> [Double] { recorded.withLock { $0.filter { $0.name == name }.map(\.value) } }

    private final class Handler: CounterHandler, RecorderHandler, TimerHandler, MeterHandler,
        FloatingPointCounterHandler
    {
        private let metrics: TestMetrics
        private let name: String

        init(_ metrics: TestMetrics, _ label: String, _ dimensions: [(String, String)]) {
            self.metrics = metrics
            let reason = dimensions.first { $0.0 == "reason" }
            name = label + (reason.map { " reason=\($0.1)" } ?? "")
        }

        private func add(_ value: Double) { metrics.recorded.withLock { $0.append((name, value)) } }
        func increment(by value: Int64) { add(Double(value)) }
        func increment(by value: Double) { add(value) }
        func decrement(by value: Double) { add(-value) }
        func set(_ value: Int64) { add(Double(value)) }
        func set(_ value: Double) { add(value) }
        func record(_ value: Int64) { add(Double(value)) }
        func record(_ value: Double) { add(value) }
        func recordNanoseconds(_ value: Int64) { add(Double(value)) }
        func reset() {}
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Handler(self, label, dimensions)
    }
    func makeFloatingPointCounter(label: String, dimensions: [(String, String)])
        -> any FloatingPointCounterHandler
    {
        Handler(self, label, dimensions)
    }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        Handler(self, label, dimensions)
    }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        Handler(self, label, dimensions)
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Handler(self, label, dimensions)
    }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}
