import FoundationEssentials
import PostgresValues
import Testing

@Suite struct UUIDTests {
    static let value = UUID(uuidString: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")

    @Test func bothFormsAreRead() throws {
        let value = try #require(Self.value)
        #expect(try decode(UUID.self, .uuid, text: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") == value)
        #expect(try roundTrip(value) == value)
        #expect(
            value.postgresParameter().bytes == [
                0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a,
                0x11,
            ])
    }

    @Test func otherBytesAreRefused() {
        #expect(failure(UUID.self, .uuid, .binary, Array(repeating: 0, count: 15))?.code == .malformed)
        #expect(failure(UUID.self, .uuid, .text, Array("nonsense".utf8))?.code == .malformed)
        #expect(failure(UUID.self, .text, .text, [])?.suggestedCast == "uuid")
    }
}
