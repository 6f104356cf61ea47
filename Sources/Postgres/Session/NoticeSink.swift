import CLibPQ
import Logging

/// Receives what the server says unasked, which libpq would print to standard error.
///
/// libpq calls it from inside its own functions, so always on the thread that drives the connection.
final class NoticeSink {
    /// The last FATAL report: the reason why an idle connection is about to end arrives as a notice.
    private(set) var farewell: PostgresServerReport?
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// The sink has to outlive the connection.
    func attach(to handle: OpaquePointer) {
        PQsetNoticeReceiver(
            handle,
            { sink, result in
                guard let sink, let result else { return }
                // The session owns both the connection and the sink and closes the connection first.
                Unmanaged<NoticeSink>.fromOpaque(sink).takeUnretainedValue().receive(result)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func receive(_ result: OpaquePointer) {
        guard let report = PostgresServerReport(result) else { return }
        switch report.severity {
        case "FATAL", "PANIC": farewell = report
        case "WARNING":
            logger.warning("\(oneLine(report.safeMessage))", metadata: ["sqlstate": "\(report.sqlState)"])
        default: logger.debug("\(oneLine(report.safeMessage))", metadata: ["sqlstate": "\(report.sqlState)"])
        }
    }
}
