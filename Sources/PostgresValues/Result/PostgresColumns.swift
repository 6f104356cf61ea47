/// The columns of a result, findable by name.
///
/// Cheap to copy: a prepared statement can keep one and give it to each of its results.
public struct PostgresColumns: RandomAccessCollection, Sendable {
    @usableFromInline let list: [PostgresColumn]
    /// What a cell has to know of its column.
    @usableFromInline let kinds: [Kind]
    /// Only filled when there are so many columns that a search beats a walk.
    private let indexByName: [String: [Int]]

    private static let walkLimit = 16

    /// Makes the columns; their `index` is their place in the array.
    public init(_ columns: [PostgresColumn] = []) {
        list = columns
        kinds = columns.map { Kind(oid: $0.oid, format: $0.format) }
        indexByName =
            columns.count <= Self.walkLimit ? [:] : Dictionary(grouping: columns.indices) { columns[$0].name }
    }

    @usableFromInline
    struct Kind: Sendable {
        @usableFromInline let oid: PostgresTypeOID
        @usableFromInline let format: PostgresFormat
    }

    /// Always 0.
    public var startIndex: Int { 0 }

    /// The number of columns.
    @inlinable public var endIndex: Int { list.count }

    /// The column at a position.
    @inlinable
    public subscript(position: Int) -> PostgresColumn { list[position] }

    /// The position of the column of that name, compared exactly.
    ///
    /// - Throws: `PostgresValueError`: `.noSuchColumn`, or `.ambiguousColumn` when a join selected two of that
    ///   name: give one another name by `AS`, or read by position.
    public func index(named name: String) throws(PostgresValueError) -> Int {
        let indices: [Int]
        if list.count <= Self.walkLimit {
            guard let first = list.firstIndex(where: { $0.name == name }) else { throw missing(name) }
            if !list[(first + 1)...].contains(where: { $0.name == name }) { return first }
            indices = list.indices.filter { list[$0].name == name }
        } else {
            indices = indexByName[name] ?? []
        }
        switch indices.count {
        case 0: throw missing(name)
        case 1: return indices[0]
        default:
            throw PostgresValueError(
                .ambiguousColumn,
                "the result has \(indices.count) columns named \"\(name)\"; tell them apart with AS, or read "
                    + "by position")
        }
    }

    private func missing(_ name: String) -> PostgresValueError {
        let names = list.prefix(20).map { "\"\($0.name)\"" }.joined(separator: ", ")
        let has = list.isEmpty ? "it has no columns" : "it has \(names)\(list.count > 20 ? ", …" : "")"
        return PostgresValueError(.noSuchColumn, "the result has no column named \"\(name)\"; \(has)")
    }
}
