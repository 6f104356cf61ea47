/// Texts by their keys, each of which may be NULL, as the extension's `hstore` has it.
public struct HStore: PostgresBinaryValue, ExpressibleByDictionaryLiteral {
    /// The pairs.
    public var pairs: [String: String?]

    /// A store of pairs.
    public init(_ pairs: [String: String?]) {
        self.pairs = pairs
    }

    /// A store of pairs; of repeated keys the first counts, as in the server.
    public init(dictionaryLiteral elements: (String, String?)...) {
        pairs = Dictionary(elements, uniquingKeysWith: { first, _ in first })
    }

    /// The text of a key; nil when it is NULL or not there. Setting nil takes the key away.
    public subscript(key: String) -> String? {
        get { pairs[key] ?? nil }
        set {
            if let newValue { pairs[key] = newValue } else { pairs[key] = nil }
        }
    }

    /// Reads `"a"=>"1", "b"=>NULL`; nil for another text.
    public init?(_ description: String) {
        var scanner = TextScanner(description)
        pairs = [:]
        while !scanner.isAtEnd {
            guard let key = scanner.quoted(), scanner.skip("=>") else { return nil }
            if scanner.skip("NULL") {
                pairs.updateValue(nil, forKey: key)
            } else {
                guard let value = scanner.quoted() else { return nil }
                pairs.updateValue(value, forKey: key)
            }
            if scanner.isAtEnd { break }
            guard scanner.skip(", "), !scanner.isAtEnd else { return nil }
        }
    }

    /// What the server writes, short keys first.
    public var description: String {
        func quoted(_ text: String) -> String {
            var quoted = "\""
            for scalar in text.unicodeScalars {
                if scalar == "\"" || scalar == "\\" { quoted += "\\" }
                quoted.unicodeScalars.append(scalar)
            }
            return quoted + "\""
        }
        return
            pairs
            .sorted {
                let (left, right) = (Array($0.key.utf8), Array($1.key.utf8))
                return left.count != right.count
                    ? left.count < right.count : left.lexicographicallyPrecedes(right)
            }
            .map { "\(quoted($0.key))=>\($0.value.map(quoted) ?? "NULL")" }
            .joined(separator: ", ")
    }

    // MARK: PostgreSQL

    /// Made in the database, hence not known.
    public static var postgresType: PostgresTypeOID { .inferred }

    /// How many, and for each the key and the value with their lengths before them.
    public func appendBinary(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(Int32(pairs.count))
        for (key, value) in pairs {
            bytes.appendBigEndian(Int32(key.utf8.count))
            bytes += key.utf8
            bytes.appendBigEndian(value.map { Int32($0.utf8.count) } ?? -1)
            bytes += (value ?? "").utf8
        }
    }

    /// How many, and for each the key and the value with their lengths before them.
    ///
    /// - Throws: `PostgresValueError(.malformed)`.
    public init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        pairs = [:]
        for _ in 0..<max(0, try reader.integer(Int32.self)) {
            guard let key = try reader.sized(), let name = String(validating: key, as: UTF8.self) else {
                throw reader.malformed("a key that is no text")
            }
            var text: String?
            if let value = try reader.sized() {
                guard let valid = String(validating: value, as: UTF8.self) else {
                    throw reader.malformed("a value that is no text")
                }
                text = valid
            }
            pairs.updateValue(text, forKey: name)
        }
    }
}

extension TextScanner {
    /// A text in double quotes, where a backslash precedes what stands for itself.
    mutating func quoted() -> String? {
        guard skip("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(validating: bytes, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            bytes.append(escaped)
        }
        return nil
    }
}
