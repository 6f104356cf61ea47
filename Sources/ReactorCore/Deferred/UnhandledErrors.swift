import Logging
import Synchronization

/// Where errors go that reached the end of a Deferred which nobody holds any more: to the log, or, while tests listen,
/// to all who do. Any thread.
package enum UnhandledErrors {
    /// Hears of an error and of the place where the Deferred was made, `Module/File.swift:12`.
    package typealias Observer = @Sendable (_ error: any Error, _ site: String) -> Void

    private static let logger = Logger(label: "reactor.deferred")
    private static let observers = Mutex<(next: Int, all: [Int: Observer])>((0, [:]))

    static func report(_ failure: Failure, _ site: CallSite, _ history: DeferredDebugging.Record?) {
        let listening = observers.withLock { Array($0.all.values) }
        for observer in listening { observer(failure.error, "\(site)") }
        if listening.isEmpty {
            let history = history.map { "; \($0)" } ?? ""
            logger.error("Unhandled error in Deferred made at \(site): \(failure)\(history)")
        }
    }

    /// Adds an observer; the number returned takes it out again.
    package static func observe(_ observer: @escaping Observer) -> Int {
        observers.withLock { observers in
            observers.next += 1
            observers.all[observers.next] = observer
            return observers.next
        }
    }

    /// Takes an observer out.
    package static func stopObserving(_ number: Int) {
        _ = observers.withLock { $0.all.removeValue(forKey: number) }
    }
}
