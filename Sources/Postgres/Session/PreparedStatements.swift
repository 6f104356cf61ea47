import PostgresValues

/// Which statements a session has prepared, which it has seen once, and which to forget.
///
/// A statement is prepared at its second use. Its text and the types of its values name it. When there are more
/// than `capacity`, the one that was not used for longest leaves, and if the server knows it, has to be
/// deallocated there: protocol 3 of libpq 15 has no message for that, so it is a statement of its own.
struct PreparedStatements {
    struct Key: Hashable {
        let text: String
        let types: [UInt32]

        init(_ sql: SQL) {
            text = sql.text
            types = sql.parameters.map(\.oid.rawValue)
        }
    }

    /// One statement that the server knows.
    struct Statement {
        let name: String
        let columns: PostgresColumns
        let format: PostgresFormat
    }

    enum Entry {
        case seenOnce
        case prepared(Statement)
    }

    let capacity: Int
    private var entries: [Key: (entry: Entry, lastUse: UInt64)] = [:]
    private var clock: UInt64 = 0
    private var nextName = 1
    /// Names that the server may forget.
    private(set) var condemned: [String] = []

    init(capacity: Int) { self.capacity = capacity }

    /// Looks a statement up; nil: never seen, and noted as seen now.
    mutating func use(_ key: Key) -> Entry? {
        clock += 1
        if let index = entries.index(forKey: key) {
            entries.values[index].lastUse = clock
            return entries.values[index].entry
        }
        if entries.count >= capacity { evict() }
        entries[key] = (.seenOnce, clock)
        return nil
    }

    mutating func makeName() -> String {
        defer { nextName += 1 }
        return "s\(nextName)"
    }

    mutating func remember(_ statement: Statement, for key: Key) {
        clock += 1
        entries[key] = (.prepared(statement), clock)
    }

    /// The statement is stale. The server may or may not know its name still.
    mutating func forget(_ key: Key) {
        if case .prepared(let statement)? = entries.removeValue(forKey: key)?.entry {
            condemned.append(statement.name)
        }
    }

    /// The names that were to be deallocated are.
    mutating func clearCondemned() { condemned.removeAll() }

    private mutating func evict() {
        // A walk over at most `capacity` entries, next to a round trip.
        guard let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else { return }
        forget(oldest)
    }
}
