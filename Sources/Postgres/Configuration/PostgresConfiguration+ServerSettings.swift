extension PostgresConfiguration {
    /// What a session begins with: `options` as given, and `serverSettings` behind it.
    var startupOptions: String? {
        guard !serverSettings.isEmpty else { return effective("options") }
        let given = effective("options").map { [$0] } ?? []
        return (given + serverSettings.sorted { $0.key < $1.key }.map { "-c \($0)=\(Self.escaped($1))" })
            .joined(separator: " ")
    }

    /// The server splits options at spaces, and takes what follows a backslash as it is.
    private static func escaped(_ value: String) -> String {
        // Scalar by scalar: to it a line break of two is two blanks.
        value.unicodeScalars.reduce(into: "") { text, scalar in
            if scalar == "\\" || scalar.properties.isWhitespace { text.append("\\") }
            text.unicodeScalars.append(scalar)
        }
    }

    /// Names that would become something else in a list of options.
    func checkServerSettings() throws(PostgresError) {
        let wrong = serverSettings.keys.sorted().first { name in
            name.isEmpty
                || !name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.".contains($0)) }
        }
        if let cut = serverSettings.first(where: { $0.value.utf8.contains(0) }) {
            throw PostgresError(
                .invalidConfiguration, "serverSettings: the value of \(cut.key.prefix(80)) contains U+0000")
        }
        guard let wrong else { return }
        throw PostgresError(
            .invalidConfiguration,
            "serverSettings: \"\(wrong.prefix(80))\" is no name of a server's setting; they look like statement_timeout"
        )
    }
}
