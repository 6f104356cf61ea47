import Glibc
import Testing

@testable import ReactorCore

@Suite struct MonitorConfigurationTests {
    @Test(
        arguments: [
            ("0.25", .milliseconds(250)), ("100ms", .milliseconds(100)), ("2s", .seconds(2)), ("0", nil),
            ("off", nil),
            ("OFF", nil), ("0ms", nil),
        ] as [(String, Duration?)])
    func environmentIsUnderstood(_ text: String, _ expected: Duration?) throws {
        let value = try MonitorConfiguration.maxBlocking(text)
        #expect(value == expected)
    }

    @Test(arguments: ["fast", "-1", "1h", "100us", "0.0001"])
    func nonsenseIsAClearError(_ text: String) throws {
        let error = try #require(throws: ReactorError.self) { try MonitorConfiguration.maxBlocking(text) }
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("REACTOR_MAX_BLOCKING is \"\(text)\""))
    }

    @Test func environmentStopsAReactorThatCannotUnderstandIt() async {
        await #expect(processExitsWith: .success) {
            setenv("REACTOR_MAX_BLOCKING", "soon", 1)
            let error = #expect(throws: ReactorError.self) { try Reactor().run() }
            #expect(error?.code == .invalidArgument)
        }
    }
}
