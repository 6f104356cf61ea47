import ReactorCore
import Testing

@Suite struct DurationTextTests {
    @Test(arguments: [("2s", 2.0), ("250ms", 0.25), ("1.5s", 1.5), ("1m", 60), ("0", 0), ("60", 60)])
    func durationsAreRead(_ text: String, _ seconds: Double) {
        #expect(Duration(humanReadable: text) == .seconds(seconds))
    }

    @Test(arguments: ["", "s", "-1s", "2 s", "1h30", "1e400s", "9999999999s"])
    func otherTextsAreRefused(_ text: String) { #expect(Duration(humanReadable: text) == nil) }

    @Test(arguments: [(2.0, "2s"), (0.25, "250ms"), (1.5, "1.5s"), (0, "0ms")])
    func durationsAreWritten(_ seconds: Double, _ text: String) {
        #expect(Duration.seconds(seconds).humanReadable == text)
    }
}
