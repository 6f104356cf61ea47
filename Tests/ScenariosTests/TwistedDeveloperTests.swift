import Testing

@testable import scenarios

@Suite struct TwistedDeveloperTests {
    @Test(arguments: [twistedDeveloper, asyncDeveloper])
    func theDeveloperIsGoneBeforeTheFirstInstallationIsDone(_ scenario: Scenario) async throws {
        let performance = try await Performance.of(scenario)
        let customers = (0..<15).map { "Customer \($0)" }
        #expect(
            performance.lines(at: 0) == ["Goodmorning from Twisted developer"]
                + customers.map { "Scheduling: Installation for \($0)" } + ["Bye from Twisted developer!"])
        #expect(
            performance.lines(at: 3)
                == customers.flatMap { ["Callback: Finished installation for \($0)", "All done for \($0)"] })
        #expect(performance.lines.count == 47)
        #expect(performance.duration == 3)
    }
}
