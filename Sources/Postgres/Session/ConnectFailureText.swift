/// Reads libpq's verbose message about a failed connect.
///
/// `connection to server on socket "…" failed: FATAL:  28P01: password authentication failed for user "app"`, then
/// lines of DETAIL, HINT and LOCATION. Words are localised; the two blanks and the five characters are not.
enum ConnectFailureText {
    static func parse(_ text: String) -> (message: String, report: PostgresServerReport?) {
        var kept: [String] = []
        var report: PostgresServerReport?
        for line in text.split(whereSeparator: \.isNewline).map(String.init) {
            if report == nil, let found = state(in: line) {
                report = PostgresServerReport(
                    sqlState: found.state, severity: "FATAL", message: found.message)
                kept.append(found.line)
            } else if report != nil {
                // Behind the server's message: details, which may tell too much, and places in its source.
                break
            } else {
                kept.append(line)
            }
        }
        return (oneLine(kept.joined(separator: "\n")), report)
    }

    private static func state(in line: String) -> (state: PostgresSQLState, message: String, line: String)? {
        var search = line[...]
        while let gap = search.firstRange(of: ":  ") {
            let rest = line[gap.upperBound...]
            let code = rest.prefix(5)
            if code.utf8.count == 5, code.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isUppercase) }),
                rest.dropFirst(5).hasPrefix(": ")
            {
                let message = rest.dropFirst(7)
                return (
                    PostgresSQLState(rawValue: String(code)), String(message),
                    line[..<gap.lowerBound] + ": " + message
                )
            }
            search = rest
        }
        return nil
    }
}
