/// One host of a configuration, tried on its own.
///
/// libpq can walk a list of hosts, but not give each its time: a host that hangs would hold up the next one
/// for ever. So the list is taken apart here, as psycopg does.
struct ConnectionAttempt: Equatable {
    static let defaultSocketDirectory = "/var/run/postgresql"
    private static let defaultPort = "5432"

    /// A name, a number, or a socket directory; empty: libpq's default place.
    var host: String
    /// A number given beside the name: no look-up needed.
    var hostAddress: String?
    /// The port; empty: libpq's default.
    var port: String
    /// What the server must be; see `target_session_attrs`.
    var sessionAttributes: String?

    /// Whether the name has to be looked up before libpq sees it: libpq would block on it.
    var needsLookUp: Bool {
        hostAddress == nil && !host.isEmpty && !host.hasPrefix("/") && !host.hasPrefix("@")
    }

    /// The attempts, in the order of the configuration.
    ///
    /// An empty place in a list means what it means to libpq: the usual directory, the usual port, no address.
    /// - Throws: `PostgresError` with code `invalidConfiguration` when the lists have different lengths, or a port is none.
    static func all(of configuration: PostgresConfiguration) throws(PostgresError) -> [ConnectionAttempt] {
        var hosts = list(configuration, "host")
        let addresses = list(configuration, "hostaddr")
        var ports = list(configuration, "port")
        let count = max(hosts.count, addresses.count, 1)
        guard hosts.count <= 1 || addresses.isEmpty || hosts.count == addresses.count,
            ports.count <= 1 || ports.count == count
        else {
            throw PostgresError(
                .invalidConfiguration,
                "the lists of hosts (\(hosts.count)), addresses (\(addresses.count)) and ports (\(ports.count)) "
                    + "have different lengths")
        }
        // Said, for libpq would go by the whole list where it is given nothing.
        ports = ports.map { $0.isEmpty ? defaultPort : $0 }
        hosts = hosts.enumerated().map { index, host in
            guard host.isEmpty else { return host }
            return index < addresses.count && !addresses[index].isEmpty
                ? addresses[index] : defaultSocketDirectory
        }
        if let wrong = ports.first(where: { !PostgresConfiguration.isPort($0) }) {
            throw PostgresError(
                .invalidConfiguration,
                "the port \"\(oneLine(String(wrong.prefix(20))))\" is no number from 1 to 65535")
        }
        let wanted = configuration.effective("target_session_attrs")
        let rounds = wanted == "prefer-standby" ? ["standby", "any"] : [wanted]
        return rounds.flatMap { attributes in
            order(of: count, configuration).map { index in
                ConnectionAttempt(
                    host: hosts.count == 1 ? hosts[0] : index < hosts.count ? hosts[index] : "",
                    hostAddress: index < addresses.count && !addresses[index].isEmpty
                        ? addresses[index] : nil,
                    port: ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : "",
                    sessionAttributes: attributes)
            }
        }
    }

    private static func order(of count: Int, _ configuration: PostgresConfiguration) -> [Int] {
        configuration.shufflesHosts ? (0..<count).shuffled() : Array(0..<count)
    }

    private static func list(_ configuration: PostgresConfiguration, _ keyword: String) -> [String] {
        guard let text = configuration.effective(keyword) else { return [] }
        return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// The keywords and values for libpq.
    func settings(of configuration: PostgresConfiguration, address: String?) -> [(String, String)] {
        var settings = configuration.settings
        if !host.isEmpty { settings["host"] = host }
        if !port.isEmpty { settings["port"] = port }
        settings["hostaddr"] = address ?? hostAddress
        settings["target_session_attrs"] = sessionAttributes
        settings["service"] = configuration.shadowingService
        settings["client_encoding"] = "UTF8"
        if !configuration.serverSettings.isEmpty { settings["options"] = configuration.startupOptions }
        settings.merge(tls(configuration)) { given, _ in given }
        if settings["gssencmode"] == nil, configuration.tlsEnvironment["PGGSSENCMODE"] == nil {
            // With a ticket at hand PQconnectPoll would block on the key server.
            settings["gssencmode"] = "disable"
        }
        // Not honoured by PQconnectPoll, and refused as a string that is not a number; we keep time.
        settings["connect_timeout"] = nil
        return settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// What is added for the sake of TLS.
    private func tls(_ configuration: PostgresConfiguration) -> [String: String] {
        TLSDefaults.settings(host: host, address: hostAddress, given: configuration.settings) {
            configuration.tlsEnvironment[$0]
        }
    }

    /// Whether nobody asked for the server's proof of identity, and it is wanted nevertheless.
    func isVerifiedByDefault(_ configuration: PostgresConfiguration) -> Bool {
        tls(configuration)["sslmode"] != nil
    }

    /// Whether a server elsewhere may do without TLS although it was asked for.
    func fallsBackSilently(_ configuration: PostgresConfiguration) -> Bool {
        let mode = configuration["sslmode"] ?? configuration.tlsEnvironment["PGSSLMODE"]
        return (mode == "prefer" || mode == "allow") && !TLSDefaults.isLocal(host, hostAddress)
    }
}
