import CLibPQ
import Greenlets
public import PostgresValues
public import ReactorCore

/// Sends rows to a COPY … FROM STDIN; exists inside `copyIn { … }` only.
///
/// Rows gather and are sent some 64 KiB at a time. Where the server is slower than the rows, `write` waits for it: at most
/// some 128 KiB are in memory. One task at a time.
@ReactorActor
public final class PostgresCopyWriter {
    /// Bytes that are worth a message, and the most that one has.
    @usableFromInline static var chunkBytes: Int { 64 << 10 }
    /// Rows after which the others on the reactor have their turn, however short the rows are.
    @usableFromInline static var turnRows: Int { 2048 }

    let feed: StatementFeed
    // At most one of these; bytes that are written as they are need none. Not in one enum, which would copy what has
    // gathered for each row.
    @usableFromInline var text: PostgresCopyTextEncoder?
    @usableFromInline var binary: PostgresCopyBinaryEncoder?
    /// Rows that have gathered.
    @usableFromInline var rowsAtHand = 0
    var isEnded = false

    init(
        _ feed: StatementFeed, _ text: PostgresCopyTextEncoder?, _ binary: PostgresCopyBinaryEncoder?
    ) {
        self.feed = feed
        self.text = text
        self.binary = binary
    }

    // MARK: Rows

    /// Writes a row, one value for each column. Parks the calling task when the server is behind.
    ///
    /// - Throws: `PostgresValueError` for a value that its column cannot take, or a wrong number of values, with the row's
    ///   number; the row is not written, and more can be. `PostgresError`, when the server has refused what was sent before, or the
    ///   time is over; `CancellationError`: the COPY is over then.
    @inlinable
    public func write<each Value: PostgresEncodable>(_ values: repeat each Value) async throws {
        if try append(repeat each values) { try await flush() }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @inlinable
    public func write<each Value: PostgresEncodable>(_ values: repeat each Value) throws {
        if try append(repeat each values) { try flushFromGreenlet() }
    }

    /// Appends a row; whether so much has gathered that it is to be sent.
    @inlinable
    func append<each Value: PostgresEncodable>(_ values: repeat each Value) throws -> Bool {
        var one = CollectionOfOne((repeat each values)).makeIterator()
        return try append(from: &one)
    }

    /// Appends rows until there are no more, or so much has gathered that it is to be sent, which is told. Nothing in it is
    /// asynchronous, or done for each row but the encoding.
    @inlinable
    func append<Rows: IteratorProtocol, each Value: PostgresEncodable>(
        from rows: inout Rows
    ) throws -> Bool where Rows.Element == (repeat each Value) {
        // In a variable an encoder is used without a check for overlapping accesses each time.
        try checkOpen()
        if var encoder = binary.take() {
            defer { binary = encoder }
            while let row = rows.next() {
                try encoder.append(repeat each row)
                if isWorthSending(encoder.byteCount) { return true }
            }
        } else if var encoder = text.take() {
            defer { text = encoder }
            while let row = rows.next() {
                try encoder.append(repeat each row)
                if isWorthSending(encoder.byteCount) { return true }
            }
        } else if rows.next() != nil {
            throw refusal
        }
        return false
    }

    /// Writes a row of encoded values; see the other form.
    public func write(row: [PostgresParameter]) async throws {
        if try encode(row) { try await flush() }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public func write(row: [PostgresParameter]) throws {
        if try encode(row) { try flushFromGreenlet() }
    }

    /// Appends the row; whether so much has gathered that it is to be sent.
    private func encode(_ row: [PostgresParameter]) throws -> Bool {
        try checkOpen()
        if text != nil {
            try text!.append(row: row)  // just seen; in place
            return isWorthSending(text!.byteCount)
        }
        guard binary != nil else { throw refusal }
        try binary!.append(row: row)  // as above
        return isWorthSending(binary!.byteCount)
    }

    @inlinable
    func isWorthSending(_ bytes: Int) -> Bool {
        rowsAtHand += 1
        return bytes >= Self.chunkBytes || rowsAtHand >= Self.turnRows
    }

    private var rowCount: Int { text?.rowCount ?? binary?.rowCount ?? 0 }

    /// The error for rows of values where there is no encoder.
    @usableFromInline
    var refusal: PostgresError {
        PostgresError(
            .unexpectedResult,
            "rows of values cannot be written here: bytes were written before, or the format is CSV")
    }

    @usableFromInline
    func flush() async throws {
        rowsAtHand = 0
        let bytes = text?.take() ?? binary?.take() ?? []
        try await send(bytes)
        if text != nil { text?.reuse(bytes) } else { binary?.reuse(bytes) }
    }

    @usableFromInline
    func flushFromGreenlet() throws {
        try Greenlet.blockingCall { try await self.flush() }
    }

    // MARK: Bytes

    /// Writes bytes that are in the COPY's form already, cut anywhere. Parks the calling task when the server is behind.
    ///
    /// - Throws: `PostgresError` when the server has refused what was sent before, or the time is over; `CancellationError`: the COPY is
    ///   over then. Rows of values and bytes do not mix: `unexpectedResult`.
    public func write(bytes: [UInt8]) async throws {
        try checkOpen()
        guard rowCount == 0 else {
            throw PostgresError(.unexpectedResult, "bytes cannot follow rows of values in the same COPY")
        }
        // From here on rows are refused, and the encoder's header must not come.
        text = nil
        binary = nil
        try await send(bytes)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public func write(bytes: [UInt8]) throws {
        try Greenlet.blockingCall { try await self.write(bytes: bytes) }
    }

    @usableFromInline
    func checkOpen() throws(PostgresError) {
        guard !isEnded else {
            throw PostgresError(.connectionClosed, "the COPY was written to after its copyIn had ended")
        }
    }

    func send(_ bytes: [UInt8]) async throws {
        var start = 0
        while start < bytes.count {
            let end = min(start + Self.chunkBytes, bytes.count)
            try await feed.send { handle in
                bytes.withUnsafeBytes { all in
                    PQputCopyData(
                        handle, all.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self),
                        Int32(end - start))
                }
            }
            start = end
        }
    }
}
