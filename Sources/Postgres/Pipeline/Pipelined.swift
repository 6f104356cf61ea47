import PostgresValues
public import ReactorCore

/// What a statement of a pipeline comes to; see `PostgresPipeline`.
@ReactorActor
public final class Pipelined<Value: Sendable>: PipelinedStatement {
    private let call: PipelinedCall
    private let read: @Sendable (PostgresRows) throws -> Value
    private(set) var isRead = false

    init(_ call: PipelinedCall, _ read: @escaping @Sendable (PostgresRows) throws -> Value) {
        self.call = call
        self.read = read
    }

    /// Its value, once it has been flushed. Never waits.
    ///
    /// - Throws: `PostgresError`: `server` for what the server refused, `pipelineAborted` when another statement of the segment
    ///   was, `pipelinePending` before `flush()`, and what concerned the whole pipeline; `PostgresValueError`.
    public var value: Value {
        get throws {
            isRead = true
            return try read(call.result())
        }
    }

    /// Whether it has been answered, or given up.
    public var isAnswered: Bool { call.answer != nil }

    var error: (any Error)? {
        do { _ = try read(call.result()) } catch { return error }
        return nil
    }
}

/// A `Pipelined` of whatever value.
@ReactorActor
protocol PipelinedStatement {
    /// Somebody has asked for its value.
    var isRead: Bool { get }
    /// Why it has no value, if it has none.
    var error: (any Error)? { get }
}
