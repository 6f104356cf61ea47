import Logging
import Synchronization

/// Keeps what is logged.
final class CapturedLog: Sendable {
    private let kept = Mutex<[String]>([])

    /// The messages so far.
    var messages: [String] { kept.withLock { $0 } }

    /// A logger that writes here.
    var logger: Logger { Logger(label: "captured") { _ in Handler(log: self) } }

    private func keep(_ message: String) { kept.withLock { $0.append(message) } }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.keep("\(event.level): \(event.message)")
        }
    }
}
