/// One host of a configuration, tried on its own.
///
/// libpq can walk a list of hosts, but not give each its time: a host that hangs would hold up the next one
/// for ever. So the list is taken apart here, as psycopg does.
struct ConnectionAttempt: Equatable {
    static let defaultSocketDirectory = "/var/run/postgresql"

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
    /// - Throws: `PostgresError` with code `invalidConfiguration` when the lists have different lengths.
    static func all(of configuration: PostgresConfiguration) throws(PostgresError) -> [ConnectionAttempt] {
        // A service file may name the host; only libpq reads those.
        let isService = configuration.effective("service") != nil
        let hosts = list(configuration, isService ? nil : "host")
        let addresses = list(configuration, isService ? nil : "hostaddr")
        let ports = list(configuration, isService ? nil : "port")
        let count = max(hosts.count, addresses.count, 1)
        guard hosts.count <= 1 || addresses.isEmpty || hosts.count == addresses.count,
            ports.count <= 1 || ports.count == count
        else {
            throw PostgresError(
                .invalidConfiguration,
                "the lists of hosts (\(hosts.count)), addresses (\(addresses.count)) and ports (\(ports.count)) "
                    + "have different lengths")
        }
        let wanted = configuration.effective("target_session_attrs")
        let rounds = wanted == "prefer-standby" ? ["standby", "any"] : [wanted]
        return rounds.flatMap { attributes in
            (0..<count).map { index in
                ConnectionAttempt(
                    host: hosts.count == 1 ? hosts[0] : index < hosts.count ? hosts[index] : "",
                    hostAddress: index < addresses.count ? addresses[index] : nil,
                    port: ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : "",
                    sessionAttributes: attributes)
            }
        }
    }

    private static func list(_ configuration: PostgresConfiguration, _ keyword: String?) -> [String] {
        guard let keyword, let text = configuration.effective(keyword) else { return [] }
        return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// The keywords and values for libpq.
    func settings(of configuration: PostgresConfiguration, address: String?) -> [(String, String)] {
        var settings = configuration.settings
        if !host.isEmpty { settings["host"] = host }
        if !port.isEmpty { settings["port"] = port }
        settings["hostaddr"] = address ?? hostAddress
        settings["target_session_attrs"] = sessionAttributes
        settings["client_encoding"] = "UTF8"
        // Not honoured by PQconnectPoll, and refused as a string that is not a number; we keep time.
        settings["connect_timeout"] = nil
        return settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
