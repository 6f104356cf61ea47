import Testing

@testable import scenarios

@Suite struct OneDeveloperTests {
    @Test func oneGreenletServesOneCustomerAfterTheOther() async throws {
        let performance = try await Performance.of(oneDeveloper)
        #expect(
            performance.lines == [
                "Start installation for Bill", "All done for Bill",
                "Start installation for Elon", "All done for Elon",
                "Start installation for Steve", "All done for Steve",
                "Start installation for Mark", "All done for Mark",
            ])
        // The clock moves only while the reactor idles: had the calls blocked its thread, all would be at zero.
        #expect(performance.times.map { $0.rounded() } == [0, 3, 3, 6, 6, 9, 9, 12])
    }
}
