import FoundationEssentials
import PostgresValues
import Testing

/// What holds for every value whose Swift text is PostgreSQL's: it goes both ways in every form.
func checkAllForms<T: PostgresTextValue>(
    _ value: T, _ text: String, location: SourceLocation = #_sourceLocation
) throws {
    #expect(value.description == text, sourceLocation: location)
    #expect(T(text) == value, sourceLocation: location)
    let bound = try value.postgresParameter()
    let oid = bound.oid == .inferred ? PostgresTypeOID(rawValue: 20_000) : bound.oid
    #expect(try bound.textBytes() == Array(text.utf8), sourceLocation: location)
    #expect(try decode(T.self, oid, bound.format, bound.bytes) == value, sourceLocation: location)
    #expect(try decode(T.self, oid, text: text) == value, sourceLocation: location)
    #expect(try decode(T?.self, oid, .text, nil) == nil, sourceLocation: location)
    #expect(failure(T.self, oid, .text, nil)?.code == .unexpectedNull, sourceLocation: location)
    #expect(failure(T.self, .bool, .text, Array("t".utf8))?.code == .typeMismatch, sourceLocation: location)
    #expect(T?.none.postgresNullIsTyped == (bound.oid != .inferred), sourceLocation: location)
    let document = try JSONEncoder().encode([value])
    #expect(try JSONDecoder().decode([T].self, from: document) == [value], sourceLocation: location)
    if let binary = bound.bytes, bound.format == .binary {
        for length in 0..<min(binary.count, 64) {
            let cut = failure(T.self, oid, .binary, Array(binary[..<length]))
            #expect(cut?.code == .malformed, "cut at \(length)", sourceLocation: location)
        }
        #expect(
            failure(T.self, oid, .binary, binary + [0])?.code == .malformed, sourceLocation: location)
    }
    guard oid.array != nil else { return }
    let array = try [value, nil].postgresParameter()
    #expect(array.oid == oid.array, sourceLocation: location)
    #expect(
        try decode([T?].self, array.oid, array.format, array.bytes) == [value, nil], sourceLocation: location)
    #expect(
        try decode([T?].self, array.oid, .text, array.textBytes()) == [value, nil], sourceLocation: location)
}

extension Optional where Wrapped: PostgresEncodable {
    var postgresNullIsTyped: Bool { Self.postgresNull.oid != .inferred }
}

/// Texts that are none of the type.
func checkRefused<T: PostgresTextValue>(
    _: T.Type, _ texts: [String], location: SourceLocation = #_sourceLocation
) {
    for text in texts {
        #expect(T(text) == nil, "\(text)", sourceLocation: location)
    }
}
