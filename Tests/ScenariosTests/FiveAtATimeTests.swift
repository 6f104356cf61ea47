import Testing

@testable import scenarios

@Suite struct FiveAtATimeTests {
    @Test func neverAreMoreThanFiveInFlight() async throws {
        let performance = try await Performance.of(fiveAtATime)
        #expect(performance.mostAtOnce(from: "Scheduling", to: "All done") == 5)
        #expect(performance.duration == 9)
        #expect(performance.lines.count == 47)
    }

    @Test func theDeveloperIsGoneBeforeTheWorkBegins() async throws {
        let performance = try await Performance.of(fiveAtATime)
        #expect(
            performance.lines(at: 0) == ["Goodmorning from Twisted developer", "Bye from Twisted developer!"]
                + scheduling(0..<5))
    }

    @Test func theNextIsScheduledWhenOneIsDone() async throws {
        let performance = try await Performance.of(fiveAtATime)
        for (time, begun) in [(3.0, 5..<10), (6.0, 10..<15), (9.0, 15..<15)] {
            let lines = performance.lines(at: time)
            let ended = begun.lowerBound - 5..<begun.lowerBound
            #expect(lines.filter { !$0.hasPrefix("Scheduling") } == finishing(ended))
            #expect(lines.filter { $0.hasPrefix("Scheduling") } == scheduling(begun))
        }
    }

    private func scheduling(_ numbers: Range<Int>) -> [String] {
        numbers.map { "Scheduling: Installation for Customer \($0)" }
    }

    private func finishing(_ numbers: Range<Int>) -> [String] {
        numbers.flatMap {
            ["Callback: Finished installation for Customer \($0)", "All done for Customer \($0)"]
        }
    }
}
