import Glibc

/// What is asked of TLS where the configuration says nothing.
///
/// libpq's own default, `prefer`, takes a connection without TLS when it is offered none, and any certificate: good for
/// nothing against whom TLS is there. So over a network it is `verify-full`, against the system's certificates unless there
/// are others.
enum TLSDefaults {
    /// The file of the system's certificates, by distribution.
    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ]

    /// The settings to add for a host.
    static func settings(
        host: String, address: String?, given: [String: String], environment: (String) -> String?
    ) -> [String: String] {
        var added: [String: String] = [:]
        var mode = given["sslmode"] ?? environment("PGSSLMODE")
        if mode == nil, environment("PGREQUIRESSL") == "1" { mode = "require" }
        if mode == nil, !isLocal(host, address) {
            mode = "verify-full"
            added["sslmode"] = mode
        }
        // Not for verify-ca: anybody can have a certificate of one of the system's authorities.
        if mode == "verify-full", given["sslrootcert"] == nil,
            environment("PGSSLROOTCERT") == nil, let bundle = systemBundle(environment)
        {
            added["sslrootcert"] = bundle
        }
        return added
    }

    /// Whether what is said to the host stays on this machine.
    static func isLocal(_ host: String, _ address: String?) -> Bool {
        let place = address ?? host
        if place.isEmpty || place.hasPrefix("/") || place.hasPrefix("@") { return true }
        return place == "localhost" || place.hasSuffix(".localhost") || place == "::1"
            || place.hasPrefix("127.") && place.allSatisfy { $0.isNumber || $0 == "." }
    }

    /// Nil when the user has certificates of his own in libpq's default place.
    private static func systemBundle(_ environment: (String) -> String?) -> String? {
        if let home = environment("HOME"), access("\(home)/.postgresql/root.crt", R_OK) == 0 { return nil }
        return bundles.first { access($0, R_OK) == 0 }
    }
}
