import Testing

@testable import scenarios

@Suite struct InnerDeferredsTests {
    @Test func theChainWaitsForTheInnerValue() async throws {
        let performance = try await Performance.of(innerCallback)
        #expect(performance.lines == ["callback_1 got 0", "callback_2 got 1", "callback_3 got 5"])
        #expect(performance.times == [0, 0, 1])
    }

    @Test func anInnerErrorThatNobodyTakesIsReported() async throws {
        let performance = try await Performance.of(innerErrback, errorsIn: "scenarios/InnerDeferreds.swift")
        #expect(performance.lines == ["callback_1 got 0", "callback_2 got 1"])
        #expect(performance.duration == 1)
        #expect(performance.unhandledErrors == ["5"])
    }

    @Test func anErrbackTakesTheInnerErrorAndItsResultGoesOn() async throws {
        let performance = try await Performance.of(innerErrbackHandled)
        #expect(performance.lines == ["callback_1 got 0", "callback_2 got 1", "errback_3 got 5", "33"])
        #expect(performance.times == [0, 0, 1, 1])
    }
}
