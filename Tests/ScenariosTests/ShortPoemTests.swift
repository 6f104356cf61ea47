import Testing

@testable import scenarios

@Suite struct ShortPoemTests {
    @Test func theCallbackGetsOneValueAndKeepsItsDefault() async throws {
        #expect(try await Performance.of(shortPoem).lines == ["This poem is so short.: default"])
    }
}
