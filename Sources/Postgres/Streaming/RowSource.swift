import PostgresValues
import ReactorCore

/// Where the rows of a `PostgresRowStream` come from: a statement, a cursor, a COPY.
@ReactorActor
protocol RowSource: AnyObject, Sendable {
    /// The next rows, at least one; nil after the last. One task at a time.
    func nextBatch() async throws -> PostgresRows?
    /// Nobody wants more. Never waits; the connection is usable at once, or waits itself until it is.
    func abandon()
    /// The same, and returns when the connection is free.
    func close() async
}

extension PostgresError {
    static var isReadTwice: PostgresError {
        PostgresError(.connectionBusy, "a stream is being read by two tasks at once; give each its own")
    }
}

/// Holds a source for as long as somebody can ask it for rows, and leaves it then.
///
/// An iterator's copies share one: when the last is dropped, the loop is over.
@ReactorActor
final class RowReader {
    private let open: @Sendable @ReactorActor () -> any RowSource
    private var running: (source: any RowSource, reactor: Reactor)?

    nonisolated init(_ open: @escaping @Sendable @ReactorActor () -> any RowSource) { self.open = open }

    deinit {
        guard let (source, reactor) = running else { return }
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { source.abandon() }
        } else {
            reactor.callFromThread { source.abandon() }
        }
    }

    func nextBatch() async throws -> PostgresRows? {
        if let running { return try await running.source.nextBatch() }
        let source = open()
        running = (source, .current)
        return try await source.nextBatch()
    }

    /// Leaves now; returns when the connection is free.
    func close() async { await running?.source.close() }
}
