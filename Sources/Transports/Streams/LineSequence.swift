/// The lines of a connection, as `for try await` wants them. Iterators share the connection: each line goes to one of them.
public struct LineSequence: AsyncSequence, Sendable {
    let connection: StreamConnection

    /// Reads lines.
    public struct Iterator: AsyncIteratorProtocol {
        let connection: StreamConnection

        /// The next line; nil when the peer will send no more. Throws as `StreamConnection.readLine()`.
        public func next() async throws -> String? { try await connection.readLine() }
    }

    /// A reader of the lines to come.
    public func makeAsyncIterator() -> Iterator { Iterator(connection: connection) }
}
