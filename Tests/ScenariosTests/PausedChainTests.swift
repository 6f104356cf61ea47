import Testing

@testable import scenarios

@Suite struct PausedChainTests {
    @Test func nothingRunsUntilUnpause() async throws {
        #expect(
            try await Performance.of(pausedChain).lines == [
                "Pausing, then firing deferred.", "Adding callbacks.", "Unpausing the deferred.",
                "callback_1 got 0", "callback_2 got 1", "callback_3 got 2",
            ])
    }
}
