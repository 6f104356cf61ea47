import PostgresValues

/// One statement that a session has told the server to prepare.
final class PreparedStatement {
    let name: String
    /// The transaction, counted by the session, in which it was sent; only there it may be used before it is described.
    let segment: UInt64
    /// What the server says about its result; nil until it has.
    private(set) var columns: PostgresColumns?
    /// The form of its results: binary when every column has a binary decoder.
    private(set) var format = PostgresFormat.text

    init(name: String, segment: UInt64 = 0) {
        self.name = name
        self.segment = segment
    }

    func describe(_ described: [PostgresColumn]) {
        let format: PostgresFormat = described.allSatisfy(\.oid.hasBinaryDecoder) ? .binary : .text
        self.format = format
        columns = PostgresColumns(
            described.map { PostgresColumn(name: $0.name, oid: $0.oid, format: format, index: $0.index) })
    }
}

extension SQL {
    /// The most values that a statement may have for libpq to take in what the server says of it when it is described: an OID
    /// for each, in a message of a kind that may have 30 000 bytes. On a longer one libpq drops the connection.
    static let mostDescribedParameters = (30_000 - 6) / 4

    /// Whether it can be prepared, and that saves something.
    var isWorthPreparing: Bool {
        parameters.count <= Self.mostDescribedParameters && StatementKind(text) == .planned
    }
}

/// Which statements a session has prepared, which it has seen once, and which to forget.
///
/// A statement is prepared at its second use. Its text and the types of its values name it. When there are more
/// than `capacity`, the one that was not used for longest leaves, and if the server knows it, has to be
/// deallocated there: protocol 3 of libpq 15 has no message for that, so it is a statement of its own.
///
/// A look-up allocates nothing and hashes the text once; entries form a list by use, so that one leaves in O(1).
struct PreparedStatements {
    enum Use {
        /// Never seen, and noted as seen now.
        case first
        /// Seen and not prepared.
        case again
        case prepared(PreparedStatement)
    }

    private struct Entry {
        let fingerprint: UInt64
        let text: String
        let types: [UInt32]
        var statement: PreparedStatement?
        var newer = -1
        var older = -1

        func isOf(_ sql: SQL) -> Bool {
            types.count == sql.parameters.count && text == sql.text
                && zip(types, sql.parameters).allSatisfy { $0 == $1.oid.rawValue }
        }
    }

    let capacity: Int
    /// What names begin with, of this session's alone: others may have left statements of theirs in it, by PREPARE, or
    /// in front of a pooler that resets nothing.
    private let prefix: String
    private var entries: [Entry] = []
    private var vacant: [Int] = []
    /// By fingerprint. Of two statements with the same one, which chance does not bring about, the later is kept.
    private var places: [UInt64: Int] = [:]
    private var newest = -1
    private var oldest = -1
    private var nextName = 1
    /// Names that the server may forget.
    private(set) var condemned: [String] = []

    init(capacity: Int, prefix: String = "q\(String(UInt32.random(in: .min ... .max), radix: 36))_") {
        self.capacity = capacity
        self.prefix = prefix
    }

    var count: Int { places.count }

    /// Looks a statement up.
    mutating func use(_ sql: SQL, _ fingerprint: UInt64) -> Use {
        if let place = places[fingerprint] {
            if entries[place].isOf(sql) {
                moveToFront(place)
                return entries[place].statement.map { .prepared($0) } ?? .again
            }
            remove(place)
        }
        insert(sql, fingerprint)
        return .first
    }

    /// Gives a statement that has been seen a name. The caller sends it to the server, and tells how that ended.
    mutating func prepare(_ fingerprint: UInt64, segment: UInt64) -> PreparedStatement {
        let statement = PreparedStatement(name: "\(prefix)\(nextName)", segment: segment)
        nextName += 1
        if let place = places[fingerprint] { entries[place].statement = statement }
        return statement
    }

    /// The server did not prepare it: the next use tries again.
    mutating func revert(_ statement: PreparedStatement, _ fingerprint: UInt64) {
        guard let place = places[fingerprint], entries[place].statement === statement else { return }
        entries[place].statement = nil
    }

    /// The statement is stale.
    ///
    /// - Parameter isKnown: whether the server still knows its name.
    mutating func forget(_ statement: PreparedStatement, _ fingerprint: UInt64, isKnown: Bool) {
        guard let place = places[fingerprint], entries[place].statement === statement else { return }
        if !isKnown { entries[place].statement = nil }
        remove(place)
    }

    /// The server has forgotten all. Their names are not given again: statements that were sent behind may have made it know some.
    mutating func forgetAll() {
        entries.removeAll()
        vacant.removeAll()
        places.removeAll()
        newest = -1
        oldest = -1
        condemned.removeAll()
    }

    /// The names to be deallocated, which are the caller's to deal with now.
    mutating func takeCondemned() -> [String] {
        defer { condemned.removeAll(keepingCapacity: true) }
        return condemned
    }

    /// What takes them could not deal with these.
    mutating func condemn(_ names: [String]) { condemned += names }

    // MARK: The list

    private mutating func insert(_ sql: SQL, _ fingerprint: UInt64) {
        if places.count >= capacity { remove(oldest) }
        let entry = Entry(
            fingerprint: fingerprint, text: sql.text, types: sql.parameters.map(\.oid.rawValue))
        let place: Int
        if let free = vacant.popLast() {
            place = free
            entries[place] = entry
        } else {
            place = entries.count
            entries.append(entry)
        }
        places[fingerprint] = place
        link(place)
    }

    private mutating func moveToFront(_ place: Int) {
        guard place != newest else { return }
        unlink(place)
        link(place)
    }

    private mutating func remove(_ place: Int) {
        unlink(place)
        places[entries[place].fingerprint] = nil
        if let statement = entries[place].statement { condemned.append(statement.name) }
        entries[place].statement = nil
        vacant.append(place)
    }

    private mutating func link(_ place: Int) {
        entries[place].newer = -1
        entries[place].older = newest
        if newest >= 0 { entries[newest].newer = place } else { oldest = place }
        newest = place
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (entries[place].newer, entries[place].older)
        if newer >= 0 { entries[newer].older = older } else { newest = older }
        if older >= 0 { entries[older].newer = newer } else { oldest = newer }
    }
}
