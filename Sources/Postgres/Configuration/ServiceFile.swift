import CLibPQ
import Glibc

/// Reads connection service files, as libpq does, but before the connect: libpq would look the host up that it finds there,
/// and block.
///
/// `[name]` begins a service, `keyword=value` lines follow, without blanks around the `=`; `#` begins a comment.
enum ServiceFile {
    /// The settings of a service: from the user's file, else from the system's.
    ///
    /// - Throws: `PostgresError` with code `invalidConfiguration`, naming the files looked at, or the line that is wrong.
    static func settings(
        for service: String, environment: (String) -> String?
    ) throws(PostgresError) -> [String: String] {
        let files = paths(environment)
        for file in files {
            guard let text = contents(file) else { continue }
            if let found = try parse(text, service: service, file: file) { return found }
        }
        throw PostgresError(
            .invalidConfiguration,
            "the service \"\(service)\" is not defined in \(files.joined(separator: " or "))")
    }

    /// Where services are defined, the first that knows one counts.
    static func paths(_ environment: (String) -> String?) -> [String] {
        let home = environment("HOME") ?? ""
        let own = environment("PGSERVICEFILE") ?? "\(home)/.pg_service.conf"
        return [own, "\(environment("PGSYSCONFDIR") ?? "/etc/postgresql-common")/pg_service.conf"]
    }

    /// The settings of `service` in `text`; nil when it is not there.
    static func parse(
        _ text: String, service: String, file: String
    ) throws(PostgresError) -> [String: String]? {
        var settings: [String: String]?
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            if line.hasPrefix("[") {
                // The first of several sections of one name counts.
                if settings != nil { return settings }
                if line == "[\(service)]" { settings = [:] }
                continue
            }
            guard settings != nil else { continue }
            func wrong(_ what: String) -> PostgresError {
                PostgresError(
                    .invalidConfiguration, "\(file):\(number + 1), in the service \"\(service)\": \(what)")
            }
            if line.hasPrefix("ldap://") {
                throw wrong("services kept in LDAP are not supported; write the settings out")
            }
            guard let sign = line.firstIndex(of: "=") else { throw wrong("a line is not keyword=value") }
            let keyword = String(line[..<sign])
            if keyword == "service" { throw wrong("a service cannot name another service") }
            guard ConnectionString.keywords.contains(keyword) else {
                throw wrong("libpq has no setting \"\(keyword.prefix(40))\"")
            }
            let value = String(line[line.index(after: sign)...])
            // The first of several counts, as in libpq.
            if settings?[keyword] == nil { settings?[keyword] = value }
        }
        return settings
    }

    private static func trimmed(_ line: Substring) -> Substring {
        var line = line
        while line.last?.isWhitespace == true { line.removeLast() }
        return line.drop(while: \.isWhitespace)
    }

    private static func contents(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
