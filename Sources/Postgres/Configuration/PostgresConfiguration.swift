import CLibPQ
import Glibc
public import Logging

/// Where a database is and how to log in to it.
///
/// Takes what libpq takes: `postgres://user:password@host:5432/name?sslmode=verify-full`, or
/// `host=/run/postgresql dbname=shop`, `service=shop`. What is not said comes from the service file, the `PG*` environment
/// variables, `~/.pgpass` and libpq's defaults. Its descriptions never contain the password.
///
/// Two defaults are not libpq's:
/// - A host that is not on this machine has to prove who it is. There `sslmode` is `verify-full`, with the system's
///   certificates unless `sslrootcert` or `~/.postgresql/root.crt` names others. Whoever wants less has to say so:
///   `sslmode=require`, `sslmode=disable`.
/// - `gssencmode` is `disable`. libpq would ask for encryption by Kerberos wherever there is a ticket, and while its library
///   talks to the key server the reactor stands still. Whoever wants that says so: `gssencmode=prefer`, `gssencmode=require`,
///   in the service file or by `PGGSSENCMODE` too. A login by GSSAPI, which only the server can ask for, blocks likewise.
public struct PostgresConfiguration: Sendable {
    /// libpq's keywords and their values, as given.
    private(set) var settings: [String: String]
    /// What libpq itself would fill in: environment variables and built-in defaults.
    private let defaults: [String: String]
    /// The environment variables that say something about TLS and other encryption.
    let tlsEnvironment: [String: String]
    /// The service that the settings are of, where libpq would add those of another, which PGSERVICE names.
    let shadowingService: String?

    /// How long one attempt to connect to one address may take, all round trips of the login included, and the look-up of a name
    /// before it; nil: as long as it takes. `connect_timeout` sets it. Default 10 s.
    public var connectTimeout: Duration? = .seconds(10)

    /// Settings of the server that each session begins with, and comes back to when it is reset:
    /// ```swift
    /// configuration.serverSettings = ["statement_timeout": "30s", "client_connection_check_interval": "500ms"]
    /// ```
    /// The second, of PostgreSQL 14 and newer, ends a statement soon after its client has died; without it the statement is
    /// run to its end, and commits. A name or value that the server does not know fails the connect with what it says. Behind a
    /// pooler in transaction mode there can be none: set them for the role.
    public var serverSettings: [String: String] = [:]

    /// How long a cancelled statement may take to end, from when the server has been asked to end it, before its connection is
    /// given up; the request has as long to get there. What became of the statement is not known then; see
    /// `PostgresError.isOutcomeUnknown`. Default 1 s.
    public var cancelGrace: Duration = .seconds(1)

    /// How many prepared statements a connection keeps; 0: none. Behind a pooler in transaction mode there are none.
    public var statementCacheSize = 256

    /// What stands between this program and the server. Default: nothing that shares sessions.
    public var pooling = PostgresPooling.session

    /// Whether a new connection makes sure that no pooler in transaction mode is in front of the server while `pooling` is
    /// `.session`: one round trip for a single connection and for a pool's first, more only behind a pooler. When there is one,
    /// connecting fails with code `invalidConfiguration` and says what to do, instead of statements that fail at random
    /// later. Default true.
    public var checksForPooler = true

    /// Whether each connect tries the hosts in an order of its own, so that many clients share them evenly; else in the order
    /// in which they are written.
    public var shufflesHosts = false

    /// Statements that take at least this long are logged as warnings, with their text and without their values. Default: none
    /// are. The server's `log_min_duration_statement` sees only its own share of that time.
    public var slowStatementThreshold: Duration?

    /// Told of each statement when it is over, for metrics and traces; on the reactor, and must not wait. Those of pools,
    /// connections, transactions and pipelines, BEGIN and COMMIT too; streams and COPY, whose time includes their consumer's; and
    /// cursors, at each round trip under the text of their statement.
    public var onStatement: PostgresStatementObserver?

    /// Where the server's notices go: warnings at level `warning`, all else at `debug`.
    public var logger = Logger(label: "postgres")

    /// Reads a connection URL or a list of `keyword=value`, and the service file when it names a service.
    ///
    /// - Throws: `PostgresError` with code `invalidConfiguration`, whose message never contains the password.
    public init(_ text: String) throws(PostgresError) {
        try self.init(text) { getenv($0).map { String(cString: $0) } }
    }

    init(_ text: String, environment: (String) -> String?) throws(PostgresError) {
        if let reason = ConnectionString.mistake(in: text) {
            throw PostgresError(.invalidConfiguration, "the database URL is wrong: \(reason)")
        }
        settings = try ConnectionString.parse(text)
        let named = settings.removeValue(forKey: "service")
        let usual = environment("PGSERVICE")
        shadowingService = usual == nil || usual == named ? nil : named
        if let service = named ?? usual {
            settings.merge(try ServiceFile.settings(for: service, environment: environment)) { given, _ in
                given
            }
        }
        // To libpq an empty value is none, and what is not said has to be safe.
        settings = settings.filter { !$0.value.isEmpty }
        defaults = ConnectionString.defaults()
        tlsEnvironment = ["PGSSLMODE", "PGREQUIRESSL", "PGSSLROOTCERT", "PGGSSENCMODE", "HOME"].reduce(
            into: [:]) {
                $0[$1] = environment($1).flatMap { $0.isEmpty ? nil : $0 }
            }
        if let limit = self["connect_timeout"] ?? defaults["connect_timeout"] {
            guard let seconds = Int(limit) else {
                throw PostgresError(
                    .invalidConfiguration, "connect_timeout is not a whole number of seconds")
            }
            connectTimeout = seconds > 0 ? .seconds(seconds) : nil
        }
        if self["sslrootcert"] == "system", PQlibVersion() < 160_000 {
            throw PostgresError(
                .invalidConfiguration,
                "sslrootcert=system needs libpq 16 or newer; name the file with the certificates")
        }
    }

    /// The value given for one of libpq's keywords, such as `application_name`; nil when it was not given. To give an empty one is
    /// to give none.
    public subscript(keyword: String) -> String? {
        get { settings[keyword] }
        set { settings[keyword] = newValue == "" ? nil : newValue }
    }

    /// The same server and user, another database.
    public func withDatabase(_ name: String) -> PostgresConfiguration {
        var copy = self
        copy["dbname"] = name
        return copy
    }

    /// The user that logs in.
    public var user: String { effective("user") ?? "" }

    /// The database; by default named like the user.
    public var database: String { effective("dbname") ?? user }

    /// Where it is and who logs in, without the password: `postgres://app@db.example:5432/shop`.
    public var redactedDescription: String {
        let host = effective("host") ?? effective("hostaddr") ?? ConnectionAttempt.defaultSocketDirectory
        let port = effective("port") ?? "5432"
        if host.hasPrefix("/") || host.hasPrefix("@") {
            return "postgres://\(user)@/\(database)?host=\(host)&port=\(port)"
        }
        let ports = port.split(separator: ",", omittingEmptySubsequences: false)
        let hosts = host.split(separator: ",", omittingEmptySubsequences: false).enumerated().map {
            "\($1):\(ports.count == 1 ? ports[0] : $0 < ports.count ? ports[$0] : "5432")"
        }
        return "postgres://\(user)@\(hosts.joined(separator: ","))/\(database)"
    }

    /// The value that counts: what was given, else what libpq fills in.
    func effective(_ keyword: String) -> String? {
        if let given = settings[keyword] { return given }
        if let fallback = defaults[keyword], !fallback.isEmpty { return fallback }
        return nil
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The redacted description.
    public var description: String { redactedDescription }
    /// The redacted description.
    public var debugDescription: String { redactedDescription }
    /// Nothing: a dump must not print the password.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
