import Greenlets
public import PostgresValues

/// The rows of a stream for a `for` loop in synchronous code of a greenlet; see `PostgresRowStream.withRows`.
///
/// Iterate it once. Loops share its rows: a second one goes on where the first was left.
public final class PostgresStreamedRows: Sequence, IteratorProtocol {
    private let reader: RowReader
    private var rows: PostgresRows?
    private var place = 0
    private var isOver = false
    /// Why the loop has ended early.
    private(set) var failure: (any Error)?

    init(_ reader: RowReader) { self.reader = reader }

    /// The next row; nil after the last, and when the stream has failed. Parks the calling greenlet.
    public func next() -> PostgresRow? { try? nextRow() }

    /// The next row; nil after the last. Parks the calling greenlet when no row has arrived.
    ///
    /// - Throws: as `PostgresDatabase.query`.
    public func nextRow() throws -> PostgresRow? {
        if let rows, place < rows.count {
            defer { place += 1 }
            return rows[place]
        }
        if let failure { throw failure }
        guard !isOver else { return nil }
        rows = nil
        do {
            rows = try Greenlet.blockingCall { [reader] in try await reader.nextBatch() }
        } catch {
            failure = error
            throw error
        }
        isOver = rows == nil
        place = 1
        return rows?[0]
    }

    /// The scope has ended.
    func close() {
        rows = nil
        isOver = true
        reader.closeFromGreenlet()
    }
}
