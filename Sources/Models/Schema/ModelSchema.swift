internal import PostgresValues
internal import Synchronization

/// What is known of a model: its columns, how to bind them, and the statement texts that never change.
///
/// Made once per type, at first use.
// @unchecked: immutable; the key paths are those of stored properties, which capture nothing.
final class ModelSchema<M: Model>: @unchecked Sendable {
    struct Field {
        let keyPath: PartialKeyPath<M>
        let column: String
        /// `"clients"."code"`
        let qualified: String
        let bind: @Sendable (M) throws -> PostgresParameter
    }

    let layout: ModelLayout
    let fields: [Field]
    let idIndex: Int?
    /// `"clients"`
    let table: String
    /// `"id", "code"`
    let columnList: String
    /// `SELECT "id", "code" FROM "clients"`
    let selectHead: String
    private let indexByKeyPath: [PartialKeyPath<M>: Int]

    /// The schema of the model, made if this is its first use. Any thread.
    ///
    /// - Throws: `ModelError` telling what is wrong with the declaration.
    static func shared() throws(ModelError) -> ModelSchema<M> {
        let key = ObjectIdentifier(M.self)
        if let known = schemas.withLock({ $0[key] }) as? ModelSchema<M> { return known }
        // Made outside the lock, because `columns` is the user's code; two threads may make two equal ones.
        let made = try ModelSchema(properties: reflectedProperties())
        schemas.withLock { $0[key] = made }
        return made
    }

    /// - Parameter properties: Name and key path of each stored property in order; empty when unknown.
    init(properties: [(name: String, keyPath: PartialKeyPath<M>)]) throws(ModelError) {
        let named = try Self.nameColumns(properties)
        let table = SQL(ident: M.table).text
        var fields: [Field] = []
        for (property, keyPath, column) in named {
            let label = property ?? column
            guard let type = type(of: keyPath).valueType as? any PostgresEncodable.Type,
                let bind = Self.binder(type, keyPath)
            else {
                throw ModelError(
                    .unsupportedProperty,
                    "\(M.self).\(label) is a \(Swift.type(of: keyPath).valueType), which is no PostgreSQL value; "
                        + "conform it to PostgresValue, or to PostgresEnum if it is an enum")
            }
            fields.append(
                Field(
                    keyPath: keyPath, column: column, qualified: "\(table).\(SQL(ident: column).text)",
                    bind: bind))
        }
        self.fields = fields
        self.table = table
        layout = ModelLayout(
            typeName: "\(M.self)", properties: named.map(\.property), columns: named.map(\.column))
        idIndex = layout.index(codingKey: "id")
        columnList = fields.map { SQL(ident: $0.column).text }.joined(separator: ", ")
        selectHead = "SELECT \(columnList) FROM \(table)"
        indexByKeyPath = Dictionary(fields.enumerated().map { ($1.keyPath, $0) }) { first, _ in first }
    }

    /// The column of a property.
    ///
    /// - Throws: `ModelError(.notStored)` for a computed one.
    func field(_ keyPath: PartialKeyPath<M>) throws(ModelError) -> Field {
        guard let index = indexByKeyPath[keyPath] else {
            throw ModelError(
                .notStored, "\(keyPath) is not a stored property of \(M.self) and has no column")
        }
        return fields[index]
    }

    /// Reads all rows of a result.
    ///
    /// - Throws: `PostgresValueError` naming row and column.
    func decode(_ rows: PostgresRows) throws -> [M] {
        if rows.isEmpty { return [] }
        let mapping = try ModelRow.Mapping(rows.columns, layout)
        var models: [M] = []
        models.reserveCapacity(rows.count)
        for row in rows {
            var cells = ModelRow(row: row, mapping: mapping)
            models.append(try M(row: &cells))
        }
        return models
    }

    private static func binder<Value: PostgresEncodable>(_: Value.Type, _ keyPath: PartialKeyPath<M>)
        -> (@Sendable (M) throws -> PostgresParameter)?
    {
        guard let typed = keyPath as? KeyPath<M, Value> else { return nil }
        // A stored property's key path captures nothing.
        nonisolated(unsafe) let path = typed
        return { model in try model[keyPath: path].postgresParameter() }
    }
}

/// The schemas made so far, by type.
private let schemas = Mutex<[ObjectIdentifier: any AnyObject & Sendable]>([:])
