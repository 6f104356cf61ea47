import Greenlets
public import PostgresValues
public import ReactorCore

// The names of Twisted's adbapi.ConnectionPool, for code in the Deferred style. Reactor only; none of them waits.
//
// Cancelling the Deferred kills the greenlet behind it: its statement is cancelled on the server, its transaction rolled
// back, its connection given back, and the Deferred fires with `CancellationError` when all that is done. Only of a
// synchronous body, whose greenlet can wait for nothing any more, the transaction is rolled back in the background; nobody
// gets its connection before.

extension PostgresPool {
    /// Runs one statement; fires with its rows. Twisted's `runQuery`.
    ///
    /// ```swift
    /// pool.runQuery("SELECT packet FROM clients WHERE code = \(code)")
    ///     .addCallback { rows in self.send(rows.isEmpty ? "unknown" : try rows[0].decode(String.self, at: 0)) }
    ///     .addErrback { error in self.send("error: \(error)") }
    /// ```
    public func runQuery(
        _ sql: SQL, timeout: Duration? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<PostgresRows> {
        Deferred(async: { try await self.query(sql, timeout: timeout) }, file: file, line: line)
    }

    /// Runs one statement whose rows, if any, do not matter; fires with the number of rows it touched. Twisted's
    /// `runOperation`.
    public func runOperation(
        _ sql: SQL, timeout: Duration? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Int> {
        Deferred(
            async: { try await self.query(sql, timeout: timeout).affectedRows }, file: file, line: line)
    }

    /// Runs `body` in a transaction; fires with what it returns once COMMIT has taken place, or with what it throws once
    /// that is rolled back. Twisted's `runInteraction`.
    public func runInteraction<T: Sendable>(
        _ options: PostgresTransactionOptions = .init(),
        _ body: @escaping @ReactorActor (PostgresTransaction) async throws -> T,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<T> {
        Deferred(
            async: { try await self.transaction(options.asked(at: file, line), body) }, file: file, line: line
        )
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the other, for a synchronous body: it runs in a greenlet, so that its statements look blocking.
    @_disfavoredOverload
    public func runInteraction<T: Sendable>(
        _ options: PostgresTransactionOptions = .init(),
        _ body: @escaping @ReactorActor (PostgresTransaction) throws -> T,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<T> {
        inGreenlet(
            { () throws -> T in try self.transaction(options.asked(at: file, line), body) }, file, line)
    }

    /// Lends a connection to `body`; fires with what it returns. Twisted's `runWithConnection`, without its commit: a
    /// statement outside a transaction commits by itself here.
    public func runWithConnection<T: Sendable>(
        _ body: @escaping @ReactorActor (PostgresConnection) async throws -> T,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<T> {
        Deferred(async: { try await self.withConnection(body) }, file: file, line: line)
    }

    // Disfavoured: a body that happens to contain no `await` would choose this form in async code too.
    /// As the other, for a synchronous body: it runs in a greenlet, so that its statements look blocking.
    @_disfavoredOverload
    public func runWithConnection<T: Sendable>(
        _ body: @escaping @ReactorActor (PostgresConnection) throws -> T,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<T> {
        inGreenlet({ () throws -> T in try self.withConnection(body) }, file, line)
    }

    private func inGreenlet<T: Sendable>(
        _ body: @escaping @ReactorActor () throws -> T, _ file: StaticString, _ line: UInt
    ) -> Deferred<T> {
        Reactor.current.deferToGreenlet(body, file: file, line: line).addErrback(
            { (error) throws -> T in
                // A killed greenlet's own word for it; whoever has cancelled a Deferred looks for the other.
                throw error is GreenletExit ? CancellationError() : error
            }, file: file, line: line)
    }
}
