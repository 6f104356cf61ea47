extension String: PostgresValue {
    /// A text whose type the server infers, so that it may also stand for a date, an enum label or a JSON document.
    ///
    /// - Throws: `PostgresValueError(.nulCharacter)` when it contains U+0000.
    public func postgresParameter() throws -> PostgresParameter { try .text(self) }

    /// Reads `text`, `varchar`, `char(n)` (with its padding), `name`, `"char"`, `json`, `jsonb`, `xml`, `unknown`,
    /// and what came as text of types made in the database (enums, `citext`).
    ///
    /// - Throws: `PostgresValueError`: `.invalidUTF8` when the bytes are not UTF-8, rather than U+FFFD;
    ///   `.typeMismatch`, `.unexpectedNull`.
    public static func decode(_ cell: PostgresCell) throws -> String {
        var bytes: Slice<UnsafeRawBufferPointer>
        switch cell.oid {
        case .text, .varchar, .bpchar, .name, .json, .xml, .unknown:
            bytes = try cell.required(for: String.self)[...]
        case .char:
            bytes = try cell.required(for: String.self)[...]
            // The empty text, which has one byte in binary.
            if cell.format == .binary && bytes.elementsEqual([0]) { bytes = bytes[..<bytes.startIndex] }
        case .jsonb:
            bytes = try cell.required(for: String.self)[...]
            if cell.format == .binary {
                guard bytes.popFirst() == 1 else {
                    throw cell.malformed(String.self, "unknown version of jsonb")
                }
            }
        case let oid where oid.isUserDefined && cell.format == .text:
            bytes = try cell.required(for: String.self)[...]
        default:
            throw cell.mismatch(String.self, cast: "text")
        }
        guard let text = String(utf8: UnsafeRawBufferPointer(rebasing: bytes)) else {
            throw PostgresValueError(.invalidUTF8, "the \(cell.oid) is not valid UTF-8; read it as bytea")
        }
        return text
    }
}

extension String {
    /// A text of bytes that have to be UTF-8; nil when they are not.
    ///
    /// As `String(validating:as:)`, which takes four times as long.
    init?(utf8 bytes: UnsafeRawBufferPointer) {
        do {
            self.init(copying: try UTF8Span(validating: bytes.assumingMemoryBound(to: UInt8.self).span))
        } catch { return nil }
    }
}
