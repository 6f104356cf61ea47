public import PostgresValues

extension Model {
    /// The rows that fulfil a condition: `Client.where { $0.code == code && $0.id > 3 }`.
    public static func `where`(_ condition: (ModelColumns<Self>) -> Condition) -> ModelQuery<Self> {
        ModelQuery().where(condition)
    }

    /// The rows that fulfil a condition in SQL; values are bound: `Client.where(sql: "length(code) > \(n)")`.
    public static func `where`(sql: SQL) -> ModelQuery<Self> {
        ModelQuery().where(sql: sql)
    }

    /// All rows, sorted: `Client.order { [$0.code.asc, $0.id.desc] }`.
    public static func order(_ terms: (ModelColumns<Self>) -> [OrderTerm]) -> ModelQuery<Self> {
        ModelQuery().order(terms)
    }

    /// At most so many rows.
    public static func limit(_ count: Int) -> ModelQuery<Self> {
        ModelQuery().limit(count)
    }

    /// The row with that `id`, at most one.
    ///
    /// - Throws: `ModelError`.
    static func identified(by id: ID) throws(ModelError) -> ModelQuery<Self> {
        let schema = try ModelSchema<Self>.shared()
        guard let index = schema.idIndex else {
            throw ModelError(.notStored, "\(Self.self) has no stored property id to find it by")
        }
        var query = ModelQuery<Self>()
        query.condition = Condition("\(raw: schema.fields[index].qualified) = \(id)")
        return query.limit(1)
    }
}
