public import Postgres
import PostgresValues
public import ReactorCore

@ReactorActor extension Model {
    /// Inserts the values by COPY, the fastest way in: all of them, or none when something fails. Parks the calling task.
    ///
    /// ```swift
    /// let count = try await Film.copyIn(films, db)
    /// ```
    /// Each `id` that is nil gets its column's default; then none may have one, since COPY writes a column for all rows or for none.
    /// The rows as stored are not returned; `insert` does that.
    /// - Parameters:
    ///   - format: default text, which takes values of every type; `binary` is faster.
    ///   - timeout: for the whole of it; nil: no limit.
    /// - Returns: how many rows were copied. No values: 0, and nothing is sent.
    /// - Throws: `ModelError(.unsupported)` when some values have an `id` and others have none; `PostgresValueError`; as
    ///   `PostgresDatabase.copyIn`.
    @discardableResult
    public static func copyIn<Models: Sequence<Self>>(
        _ models: Models, _ db: any PostgresDatabase, format: PostgresCopyFormat = .text,
        timeout: Duration? = nil
    ) async throws -> Int {
        guard var rows = try CopyRows(models) else { return 0 }
        return try await db.copyIn(
            into: rows.table, columns: rows.columns, format: format, timeout: timeout
        ) { writer in
            while let row = try rows.next() { try await writer.write(row: row) }
        }
    }

    // Disfavoured, as all forms that take a synchronous body.
    /// As the `async` form, for synchronous code in a greenlet.
    @_disfavoredOverload @discardableResult
    public static func copyIn<Models: Sequence<Self>>(
        _ models: Models, _ db: any PostgresDatabase, format: PostgresCopyFormat = .text,
        timeout: Duration? = nil
    ) throws -> Int {
        guard var rows = try CopyRows(models) else { return 0 }
        return try db.copyIn(
            into: rows.table, columns: rows.columns, format: format, timeout: timeout
        ) { writer in
            while let row = try rows.next() { try writer.write(row: row) }
        }
    }
}

/// The rows of a COPY that models make.
private struct CopyRows<M: Model, Source: IteratorProtocol> where Source.Element == M {
    let table: SQL
    let columns: [String]
    private let schema: ModelSchema<M>
    /// Whether the column of `id` is left to its default.
    private let leavesID: Bool
    private var first: M?
    private var rest: Source
    private var number = 0

    /// Nil without values.
    init?<Models: Sequence>(_ models: Models) throws where Models.Iterator == Source {
        var iterator = models.makeIterator()
        guard let first = iterator.next() else { return nil }
        let schema = try ModelSchema<M>.shared()
        let leavesID = try schema.hasNoID(first)
        table = SQL(raw: schema.table)
        columns = schema.fields.indices.filter { !(leavesID && $0 == schema.idIndex) }.map {
            schema.fields[$0].column
        }
        self.schema = schema
        self.leavesID = leavesID
        self.first = first
        rest = iterator
    }

    /// The cells of the next row.
    mutating func next() throws -> [PostgresParameter]? {
        guard let model = first.take() ?? rest.next() else { return nil }
        number += 1
        var cells: [PostgresParameter] = []
        cells.reserveCapacity(columns.count)
        for (index, field) in schema.fields.enumerated() {
            let cell = try field.bind(model)
            guard index == schema.idIndex else {
                cells.append(cell)
                continue
            }
            guard (cell.bytes == nil) == leavesID else {
                throw ModelError(
                    .unsupported,
                    "copyIn: the first \(M.self) has \(leavesID ? "no id" : "an id") and number \(number) has \(leavesID ? "one" : "none"); copy those without by themselves"
                )
            }
            if !leavesID { cells.append(cell) }
        }
        return cells
    }
}

extension ModelSchema {
    /// Whether the value has a property `id` and that is NULL.
    fileprivate func hasNoID(_ model: M) throws -> Bool {
        guard let idIndex else { return false }
        return try fields[idIndex].bind(model).bytes == nil
    }
}
