import Glibc
public import ReactorCore
import Synchronization

/// A step of a test kept the loop for itself for longer than it may.
public struct ReactorStall: Error, CustomStringConvertible {
    /// What the monitor reported of it, and of others.
    public let reports: [BlockReport]

    /// The reports, with the stacks.
    public var description: String { reports.map(\.description).joined(separator: "\n") }
}

/// Collects what a monitor reports of one reactor's test.
final class StallRecorder: Sendable {
    private let reports = Mutex<[BlockReport]>([])
    private let monitor: ReactorMonitor

    init(_ monitor: ReactorMonitor, limit: Duration) {
        self.monitor = monitor
        monitor.maxBlockingTime = limit
        monitor.onEvent = { [weak self] event in
            if case .loopBlocked(let report) = event { self?.reports.withLock { $0.append(report) } }
        }
    }

    /// To be called when the reactor has stopped.
    func check() throws {
        // The names of functions are being looked up for a block that has been seen; that ends.
        while monitor.isReporting { usleep(1000) }
        let reports = reports.withLock { $0 }
        if !reports.isEmpty { throw ReactorStall(reports: reports) }
    }
}
