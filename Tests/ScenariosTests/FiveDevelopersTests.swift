import Testing

@testable import scenarios

@Suite struct FiveDevelopersTests {
    @Test func fiveGreenletsServeFifteenCustomersInThreeRounds() async throws {
        let performance = try await Performance.of(fiveDevelopers)
        #expect(performance.duration.rounded() == 9)
        #expect(performance.mostAtOnce(from: "Start installation", to: "All done") == 5)
        let morning = (0..<5).flatMap {
            ["Goodmorning from developer \($0)", "Start installation for Customer \($0)"]
        }
        #expect(Array(performance.lines.prefix(10)) == morning)
        expectDay(performance)
    }

    @Test func fiveThreadsDoTheSame() async throws {
        let performance = try await Performance.inRealTime(of: fiveDevelopersOnThreads)
        #expect(performance.duration >= 9)
        // A busy machine may start the last of five threads when the first has served its customer.
        #expect((2...5).contains(performance.mostAtOnce(from: "Start installation", to: "All done")))
        expectDay(performance)
    }

    /// What must hold whoever came first: each line whole and once, in order for each customer.
    private func expectDay(_ performance: Performance) {
        let expected =
            (0..<5).flatMap { ["Goodmorning from developer \($0)", "Bye from developer \($0)"] }
            + (0..<15).flatMap { ["Start installation for Customer \($0)", "All done for Customer \($0)"] }
        #expect(performance.lines.sorted() == expected.sorted())
        for name in (0..<15).map({ "Customer \($0)" }) {
            let start = performance.lines.firstIndex(of: "Start installation for \(name)")
            let end = performance.lines.firstIndex(of: "All done for \(name)")
            #expect(start ?? .max < end ?? .min)
        }
        for name in (0..<5).map({ "developer \($0)" }) {
            let start = performance.lines.firstIndex(of: "Goodmorning from \(name)")
            let end = performance.lines.firstIndex(of: "Bye from \(name)")
            #expect(start ?? .max < end ?? .min)
        }
    }
}

extension Performance {
    /// The most that had begun and not ended at any moment.
    func mostAtOnce(from begin: String, to end: String) -> Int {
        var (now, most) = (0, 0)
        for line in lines {
            if line.hasPrefix(begin) { now += 1 }
            if line.hasPrefix(end) { now -= 1 }
            most = max(most, now)
        }
        return most
    }
}
