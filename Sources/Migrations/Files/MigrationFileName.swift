/// The name of a migration file, `YYYYMMDDHHMMSS_name.sql`, taken apart.
public struct MigrationFileName: Hashable, Sendable, CustomStringConvertible {
    /// The UTC second before the underscore.
    public let version: MigrationVersion
    /// What stands between the underscore and `.sql`: letters, digits, `_` and `-`.
    public let name: String

    /// Takes a file name (no directories) apart; `path` stands in front of the error's message.
    ///
    /// - Throws: `MigrationError` `.invalidFile` saying which part is wrong.
    public init(parsing fileName: String, path: String? = nil) throws(MigrationError) {
        func refuse(_ reason: String) -> MigrationError {
            MigrationError(
                .invalidFile,
                "\(path ?? fileName): \(reason); migration files are named YYYYMMDDHHMMSS_name.sql (UTC)")
        }
        guard fileName.hasSuffix(".sql") else { throw refuse("no .sql at the end") }
        let stem = fileName.dropLast(4)
        guard let underscore = stem.firstIndex(of: "_") else {
            throw refuse("no underscore after the version")
        }
        let digits = stem[..<underscore]
        guard digits.utf8.count == 14 else {
            throw refuse("the version \"\(digits)\" is not fourteen digits")
        }
        guard let version = MigrationVersion(digits) else { throw refuse("\"\(digits)\" is no UTC time") }
        let name = stem[stem.index(after: underscore)...]
        guard !name.isEmpty else { throw refuse("no name after the version") }
        guard name.utf8.allSatisfy(Self.isAllowed) else {
            throw refuse("\"\(name)\" has characters other than letters, digits, _ and -")
        }
        self.version = version
        self.name = String(name)
    }

    /// The file name of a new migration; `title` is free text such as "create clients".
    ///
    /// - Throws: `MigrationError` `.usage` when `title` holds no letter or digit.
    public init(version: MigrationVersion, title: String) throws(MigrationError) {
        var name = ""
        for byte in title.lowercased().utf8 {
            if Self.isAllowed(byte), byte != UInt8(ascii: "_") {
                name.unicodeScalars.append(Unicode.Scalar(byte))
            } else if !name.isEmpty, name.last != "_" {
                name += "_"
            }
        }
        while name.last == "_" { name.removeLast() }
        guard !name.isEmpty else {
            throw MigrationError(.usage, "\"\(title)\" gives no file name; use letters and digits")
        }
        self.version = version
        self.name = name
    }

    /// The file name.
    public var description: String { "\(version)_\(name).sql" }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
