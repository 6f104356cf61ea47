extension PostgresConfiguration {
    /// What libpq refuses before it has asked any server: told at once, where a failed connect would be tried again.
    func check() throws(PostgresError) {
        try checkServerSettings()
        for (keyword, value) in settings.sorted(by: { $0.key < $1.key }) {
            guard ConnectionString.keywords.contains(keyword) else {
                throw PostgresError(
                    .invalidConfiguration, "libpq has no setting \"\(oneLine(String(keyword.prefix(40))))\"")
            }
            // libpq would take what stands before it.
            guard !value.utf8.contains(0) else {
                throw PostgresError(.invalidConfiguration, "the value of \(keyword) contains U+0000")
            }
        }
        for (keyword, values) in Self.choices {
            guard let value = effective(keyword), !values.contains(value) else { continue }
            throw PostgresError(
                .invalidConfiguration,
                "\(keyword) is \"\(oneLine(String(value.prefix(40))))\", and can be \(values.joined(separator: ", "))"
            )
        }
    }

    /// The settings with a fixed number of values.
    private static let choices = [
        ("channel_binding", ["disable", "prefer", "require"]),
        ("gssencmode", ["disable", "prefer", "require"]),
        ("sslmode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
        (
            "target_session_attrs",
            ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]
        ),
    ]

    /// A list entry for `port`, and nothing else, as libpq would take it.
    static func isPort(_ text: String) -> Bool { Int(text).map { (1...65535).contains($0) } ?? false }
}
