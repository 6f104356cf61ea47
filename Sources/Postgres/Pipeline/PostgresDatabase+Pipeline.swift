import Greenlets
import ReactorCore

extension PostgresDatabase {
    /// Sends several statements in one round trip and returns all their values. Parks the calling task.
    ///
    /// ```swift
    /// let (film, actors) = try await db.pipeline {
    ///     ($0.query("SELECT * FROM film WHERE id = \(id)"), $0.one(Int.self, "SELECT count(*) FROM actor"))
    /// }
    /// ```
    /// Without `sync()` in it, it is one transaction: all statements take effect or none.
    /// - Parameters:
    ///   - timeout: after this long it is cancelled on the server; nil: never.
    ///   - build: queues the statements and returns those whose values are wanted.
    /// - Throws: the first error of any statement, whether its value was wanted or not; otherwise as `query`.
    public func pipeline<each Value: Sendable>(
        timeout: Duration? = nil,
        _ build: @ReactorActor (PostgresPipeline) throws -> (repeat Pipelined<each Value>)
    ) async throws -> (repeat each Value) {
        try await withPipeline { (pipeline) async throws -> (repeat each Value) in
            let statements = try build(pipeline)
            try await pipeline.flush(timeout: timeout)
            try pipeline.throwFirstError()
            return (repeat try (each statements).value)
        }
    }

    /// The same where only one value is wanted; the other statements are queued beside it.
    ///
    /// ```swift
    /// let count = try await db.pipeline {
    ///     $0.execute("INSERT INTO log VALUES (\(text))")
    ///     return $0.one(Int.self, "SELECT count(*) FROM log")
    /// }
    /// ```
    @discardableResult
    public func pipeline<Value: Sendable>(
        timeout: Duration? = nil, _ build: @ReactorActor (PostgresPipeline) throws -> Pipelined<Value>
    ) async throws -> Value {
        try await withPipeline { (pipeline) async throws -> Value in
            let statement = try build(pipeline)
            try await pipeline.flush(timeout: timeout)
            try pipeline.throwFirstError()
            return try statement.value
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func pipeline<each Value: Sendable>(
        timeout: Duration? = nil,
        _ build: @ReactorActor (PostgresPipeline) throws -> (repeat Pipelined<each Value>)
    ) throws -> (repeat each Value) {
        try Greenlet.blockingCall { () async throws -> (repeat each Value) in
            try await self.pipeline(timeout: timeout, build)
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func pipeline<Value: Sendable>(
        timeout: Duration? = nil, _ build: @ReactorActor (PostgresPipeline) throws -> Pipelined<Value>
    ) throws -> Value {
        try Greenlet.blockingCall { () async throws -> Value in
            try await self.pipeline(timeout: timeout, build)
        }
    }
}

extension PostgresPipeline {
    /// Runs `body` with a pipeline and sends at the end what it has not.
    static func run<T: Sendable>(
        _ session: PostgresSession, _ body: @ReactorActor (PostgresPipeline) async throws -> T
    ) async throws -> T {
        let pipeline = PostgresPipeline(session)
        defer { pipeline.close() }
        let value = try await body(pipeline)
        try await pipeline.end()
        return value
    }

    /// The same on a greenlet's own stack.
    static func run<T: Sendable>(
        _ session: PostgresSession, _ body: @ReactorActor (PostgresPipeline) throws -> T
    ) throws -> T {
        let pipeline = PostgresPipeline(session)
        defer { pipeline.close() }
        let value = try body(pipeline)
        try Greenlet.blockingCall { try await pipeline.end() }
        return value
    }
}

extension PostgresConnection {
    /// Runs `body` with a pipeline; see `PostgresDatabase`.
    public func withPipeline<T: Sendable>(
        _ body: @ReactorActor (PostgresPipeline) async throws -> T
    ) async throws -> T {
        try await PostgresPipeline.run(lent(), body)
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func withPipeline<T: Sendable>(_ body: @ReactorActor (PostgresPipeline) throws -> T) throws -> T {
        try PostgresPipeline.run(lent(), body)
    }
}

extension PostgresTransaction {
    /// Runs `body` with a pipeline in the transaction; see `PostgresDatabase`. Its segments are no transactions of their own.
    public func withPipeline<T: Sendable>(
        _ body: @ReactorActor (PostgresPipeline) async throws -> T
    ) async throws -> T {
        try await PostgresPipeline.run(open(), body)
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func withPipeline<T: Sendable>(_ body: @ReactorActor (PostgresPipeline) throws -> T) throws -> T {
        try PostgresPipeline.run(open(), body)
    }
}

extension PostgresPool {
    /// Runs `body` with a pipeline on a connection of its own; see `PostgresDatabase`.
    public func withPipeline<T: Sendable>(
        _ body: @ReactorActor (PostgresPipeline) async throws -> T
    ) async throws -> T {
        try await withConnection { connection in try await connection.withPipeline(body) }
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload
    public func withPipeline<T: Sendable>(_ body: @ReactorActor (PostgresPipeline) throws -> T) throws -> T {
        try withConnection { (connection) throws -> T in try connection.withPipeline(body) }
    }
}
