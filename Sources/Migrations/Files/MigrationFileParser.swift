/// Reads a migration file:
///
///     -- migrate:up
///     create table films (id bigint generated always as identity primary key, title text not null);
///
///     -- migrate:down
///     drop table films;
///
/// A directive is a line of its own that begins with `-- migrate:`; `-- migrate:up transaction:false` makes every
/// statement of the section commit on its own, for `CREATE INDEX CONCURRENTLY` and its kind. Before the first
/// directive only comments may stand. A byte order mark is dropped and CRLF becomes LF, in string literals too,
/// so that a checkout with other line ends runs the same SQL and has the same checksum.
struct MigrationFileParser {
    /// Shown in front of every message.
    let path: String

    /// Parses the bytes of the file named `fileName`.
    ///
    /// - Throws: `MigrationError` `.invalidFile`, its message beginning with `path:line:column:`.
    func parse(_ bytes: [UInt8], fileName: MigrationFileName) throws(MigrationError) -> MigrationFile {
        let text = try decode(bytes)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let raw = try sections(of: lines)
        guard let rawUp = raw.first(where: { $0.directive == .up }) else {
            throw problem("no \"-- migrate:up\" section", line: 1)
        }
        let up = try section(rawUp)
        guard let up else {
            throw problem("no statement in the \"-- migrate:up\" section", line: rawUp.line)
        }
        let down = try raw.first { $0.directive == .down }.flatMap { raw throws(MigrationError) in
            try section(raw)
        }
        return MigrationFile(fileName: fileName, path: path, up: up, down: down, lines: lines)
    }

    // MARK: - Text

    /// UTF-8 without mark, NUL or carriage return before a line feed.
    private func decode(_ bytes: [UInt8]) throws(MigrationError) -> String {
        var bytes = bytes[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        guard bytes.contains(where: { $0 > 0x20 }) else { throw problem("the file is empty", line: 1) }
        var lf: [UInt8] = []
        lf.reserveCapacity(bytes.count)
        for (index, byte) in zip(bytes.indices, bytes) {
            let isCRLF =
                byte == UInt8(ascii: "\r") && index + 1 < bytes.endIndex
                && bytes[index + 1] == UInt8(ascii: "\n")
            if !isCRLF { lf.append(byte) }
        }
        if let nul = lf.firstIndex(of: 0) {
            throw problem("a NUL byte; is this a text file?", line: lineNumber(of: nul, in: lf))
        }
        guard let text = String(validating: lf, as: UTF8.self) else {
            // Repairing replaces the first bad sequence by U+FFFD; a file that holds that character itself before
            // it is reported a few lines early, which is no reason to decode by hand.
            let repaired = Array(String(decoding: lf, as: UTF8.self).utf8)
            let first = zip(repaired, lf).enumerated().first { $1.0 != $1.1 }?.offset ?? lf.count
            throw problem("not UTF-8", line: lineNumber(of: first, in: lf))
        }
        return text
    }

    private func lineNumber(of offset: Int, in bytes: [UInt8]) -> Int {
        bytes.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
    }

    // MARK: - Sections

    private enum Directive: String {
        case up, down
    }

    private struct RawSection {
        let directive: Directive
        let usesTransaction: Bool
        /// The directive's own line.
        let line: Int
        var body: [Substring] = []
    }

    private func sections(of lines: [String]) throws(MigrationError) -> [RawSection] {
        var sections: [RawSection] = []
        var preamble: [Substring] = []
        for (number, line) in zip(1..., lines) {
            guard let words = directiveWords(of: line) else {
                if sections.isEmpty {
                    preamble.append(line[...])
                } else {
                    sections[sections.count - 1].body.append(line[...])
                }
                continue
            }
            let section = try rawSection(words, line: number)
            if let earlier = sections.first(where: { $0.directive == section.directive }) {
                throw problem(
                    "a second \"-- migrate:\(section.directive)\" section; the first is on line \(earlier.line)",
                    line: number)
            }
            sections.append(section)
        }
        if !sections.isEmpty, let statement = try split(preamble, line: 1).first {
            throw problem("SQL before \"-- migrate:up\"", at: statement.start)
        }
        return sections
    }

    /// The words after `migrate:` when the line is a directive, otherwise nil.
    private func directiveWords(of line: String) -> [Substring]? {
        guard line.hasPrefix("--") else { return nil }
        let comment = line.dropFirst(2).drop { $0 == " " || $0 == "\t" }
        guard comment.hasPrefix("migrate:") else { return nil }
        return comment.dropFirst("migrate:".count).split { $0 == " " || $0 == "\t" }
    }

    private func rawSection(_ words: [Substring], line: Int) throws(MigrationError) -> RawSection {
        guard let directive = words.first.flatMap({ Directive(rawValue: String($0)) }) else {
            throw problem(
                "unknown directive \"-- migrate:\(words.first ?? "")\"; there are \"up\" and \"down\"",
                line: line)
        }
        var usesTransaction = true
        for option in words.dropFirst() {
            switch option {
            case "transaction:false": usesTransaction = false
            case "transaction:true": usesTransaction = true
            default:
                throw problem(
                    "unknown option \"\(option)\" of \"-- migrate:\(directive)\"; there is \"transaction:false\"",
                    line: line)
            }
        }
        return RawSection(directive: directive, usesTransaction: usesTransaction, line: line)
    }

    private func section(_ raw: RawSection) throws(MigrationError) -> MigrationFile.Section? {
        let statements = try split(raw.body, line: raw.line + 1)
        for statement in statements {
            if statement.isTransactionControl {
                throw problem(
                    "\(statement.words[0].uppercased()) would interfere with the transaction that belongs to the "
                        + "runner; leave it out, or write \"-- migrate:\(raw.directive) transaction:false\" for "
                        + "statements that commit one by one",
                    at: statement.start)
            }
            if raw.usesTransaction, let command = statement.commandRefusedInTransaction {
                throw problem(
                    "\(command) cannot run in a transaction; "
                        + "write \"-- migrate:\(raw.directive) transaction:false\"",
                    at: statement.start)
            }
        }
        guard !statements.isEmpty else { return nil }
        return MigrationFile.Section(statements: statements, usesTransaction: raw.usesTransaction)
    }

    private func split(_ body: [Substring], line: Int) throws(MigrationError) -> [SQLStatement] {
        do {
            return try StatementSplitter.split(
                body.joined(separator: "\n"), startingAt: SourcePosition(line: line))
        } catch {
            throw problem(error.message, at: error.position)
        }
    }

    // MARK: - Messages

    private func problem(_ message: String, line: Int) -> MigrationError {
        MigrationError(.invalidFile, "\(path):\(line): \(message)")
    }

    private func problem(_ message: String, at position: SourcePosition) -> MigrationError {
        MigrationError(.invalidFile, "\(path):\(position): \(message)")
    }
}
