extension MigrationStatus {
    /// The status as lines for people: one line a version, then a line of totals. No trailing line feed.
    ///
    ///     20261121000000  create_clients  applied        2026-11-21T09:12:00Z  31 ms
    ///     20261122080000  add_index       partly applied  2 of 3 statements
    ///
    ///     1 applied, 1 pending
    public var report: String {
        let nameWidth = entries.map(\.name.count).max() ?? 0
        let stateWidth = entries.map(\.state.rawValue.count).max() ?? 0
        var lines = entries.map { entry in
            var line = "\(entry.version)  \(entry.name.padded(to: nameWidth))  "
            line += entry.state.rawValue.padded(to: stateWidth)
            if let row = entry.applied {
                switch row.state {
                case .applied: line += "  \(row.appliedAt)  \(row.milliseconds) ms"
                case .applying:
                    let total = entry.file.map { " of \($0.up.statements.count)" } ?? ""
                    line += "  \(row.statementsDone)\(total) statements"
                }
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
        guard !entries.isEmpty else { return "no migrations" }
        lines += ["", totals]
        return lines.joined(separator: "\n")
    }

    private var totals: String {
        var parts = ["\(applied.count) applied", "\(pending.count) pending"]
        for state in [State.outOfOrder, .drifted, .missingFile] {
            let count = entries.count { $0.state == state }
            if count > 0 { parts.append("\(count) \(state.rawValue)") }
        }
        return parts.joined(separator: ", ")
    }

    /// The status as a JSON array of objects, oldest first, one object a line. Keys: `version` (a string of
    /// fourteen digits), `name`, `state` (`MigrationStatus.State`), and for applied ones `applied_at`, `ms`,
    /// `applied_by`, `statements_done`.
    public var json: String {
        let objects = entries.map { entry in
            var members = [
                "\"version\": \"\(entry.version)\"", "\"name\": \(entry.name.jsonLiteral)",
                "\"state\": \(entry.state.rawValue.jsonLiteral)",
            ]
            if let row = entry.applied {
                members += [
                    "\"applied_at\": \(row.appliedAt.jsonLiteral)", "\"ms\": \(row.milliseconds)",
                    "\"applied_by\": \(row.appliedBy.jsonLiteral)",
                    "\"statements_done\": \(row.statementsDone)",
                ]
            }
            return "  {\(members.joined(separator: ", "))}"
        }
        return objects.isEmpty ? "[]" : "[\n\(objects.joined(separator: ",\n"))\n]"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }

    /// A JSON string literal; only what RFC 8259 demands is escaped.
    fileprivate var jsonLiteral: String {
        var result = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
