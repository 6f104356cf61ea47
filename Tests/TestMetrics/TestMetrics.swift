public import CoreMetrics
import Synchronization

/// Remembers what is recorded, by label and the dimensions whose names it was given.
public final class TestMetrics: MetricsFactory, Sendable {
    private let recorded = Mutex<[(name: String, value: Double)]>([])
    private let keys: [String]

    /// - Parameter keys: dimensions that become part of a name: `label key=value`.
    public init(keys: [String] = ["reason"]) { self.keys = keys }

    /// All values, in order.
    public var values: [Double] { recorded.withLock { $0.map(\.value) } }
    /// The values of one name, in order.
    public subscript(_ name: String) -> [Double] {
        recorded.withLock { $0.filter { $0.name == name }.map(\.value) }
    }

    private final class Handler: CounterHandler, RecorderHandler, TimerHandler, MeterHandler,
        FloatingPointCounterHandler
    {
        private let metrics: TestMetrics
        private let name: String

        init(_ metrics: TestMetrics, _ label: String, _ dimensions: [(String, String)]) {
            self.metrics = metrics
            let named = dimensions.filter { metrics.keys.contains($0.0) }
            name = label + named.map { " \($0.0)=\($0.1)" }.joined()
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

    /// As the protocol says.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Handler(self, label, dimensions)
    }
    /// As the protocol says.
    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)])
        -> any FloatingPointCounterHandler
    {
        Handler(self, label, dimensions)
    }
    /// As the protocol says.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        Handler(self, label, dimensions)
    }
    /// As the protocol says.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool)
        -> any RecorderHandler
    {
        Handler(self, label, dimensions)
    }
    /// As the protocol says.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Handler(self, label, dimensions)
    }
    /// As the protocol says.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// As the protocol says.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    /// As the protocol says.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// As the protocol says.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// As the protocol says.
    public func destroyTimer(_ handler: any TimerHandler) {}
}
