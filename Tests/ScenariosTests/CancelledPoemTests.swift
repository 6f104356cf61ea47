import Testing

@testable import scenarios

@Suite struct CancelledPoemTests {
    @Test func withoutACancellerThePoemIsStillSentAndNobodyHearsIt() async throws {
        let performance = try await Performance.of(cancelledPoem)
        #expect(performance.times == [2, 5])
        #expect(performance.lines.first?.hasPrefix("get_poem failed: ") == true)
        #expect(performance.lines.last == "Sending poem")
        #expect(performance.duration == 10)
    }

    @Test func aCancellerTakesTheSendingBack() async throws {
        let performance = try await Performance.of(cancelledPoemUnsent)
        #expect(performance.times == [2])
        #expect(performance.lines.first?.hasPrefix("get_poem failed: ") == true)
        #expect(performance.duration == 10)
    }
}
