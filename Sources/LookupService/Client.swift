public import Models
public import Postgres

/// One client of the lookup service: a row of the table `clients`.
public struct Client: Model {
    /// The table.
    public static let table = "clients"

    /// Given by the database.
    public var id: Int64?
    /// The five characters that name the client.
    public var code: String
    /// What the client is answered.
    public var packet: String

    /// A client not yet stored.
    public init(id: Int64? = nil, code: String, packet: String) {
        self.id = id
        self.code = code
        self.packet = packet
    }

    /// The client with a code, to be fetched by `first(db)`.
    ///
    /// - Parameter latency: makes the *database* take that long before it answers, known code or not: a subquery that does not
    ///   depend on the row is run once for each statement.
    public static func with(code: String, latency: Duration = .zero) -> ModelQuery<Client> {
        let query = Client.where { $0.code == code }
        guard latency > .zero else { return query }
        return query.where(sql: "(SELECT pg_sleep(\(latency / .seconds(1)))) IS NOT NULL")
    }
}
