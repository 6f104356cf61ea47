import Glibc
import Testing

@testable import ReactorCore

@Suite struct ReactorConfigurationTests {
    /// What an environment says, and what is complained of.
    private func read(_ environment: [String: String]) -> (ReactorConfiguration, [String]) {
        var warnings: [String] = []
        let configuration = ReactorConfiguration({ environment[$0] }, warn: { warnings.append($0) })
        return (configuration, warnings)
    }

    @Test func everyVariableIsRead() {
        let (configuration, warnings) = read([
            "REACTOR_BACKEND": "io_uring", "REACTOR_FILES": "threads", "REACTOR_RESOLVER": "native",
            "REACTOR_MAX_BLOCKING": "2s", "REACTOR_DUMP_SIGNAL": "sigusr2", "REACTOR_ACCOUNTING": "1",
            "REACTOR_TRACK_GREENLET_TREE": "off", "REACTOR_STACK_SIZE": "65536", "REACTOR_SHIMS": "-thread",
            "REACTOR_TESTING_PATIENCE": "7",
        ])
        #expect(warnings.isEmpty)
        #expect(configuration.backend == .ioUring)
        #expect(configuration.fileEngine == .threads)
        #expect(configuration.resolver == .native)
        #expect(configuration.maxBlockingTime == .seconds(2))
        #expect(configuration.dumpSignal == SIGUSR2)
        #expect(configuration.isAccounting)
        #expect(!configuration.tracksGreenletTree)
        #expect(configuration.stackSize == 65_536)
        #expect(configuration.shims == "-thread")
        #expect(configuration.testingPatience == 7)
        #expect(ReactorConfiguration.variables.count == 10)
    }

    @Test func emptyVariablesAreNone() {
        let (configuration, warnings) = read(
            Dictionary(uniqueKeysWithValues: ReactorConfiguration.variables.map { ($0.name, "") }))
        #expect(warnings.isEmpty)
        #expect(configuration.backend == .automatic)
        #expect(configuration.shims == nil)
        #expect(configuration.maxBlockingTime == ReactorConfiguration.standardMaxBlockingTime)
    }

    @Test(
        arguments: [
            ("0.25", .milliseconds(250)), ("100ms", .milliseconds(100)), ("2s", .seconds(2)), ("0", nil),
            ("off", nil), ("OFF", nil), ("0ms", nil),
        ] as [(String, Duration?)])
    func timesAreUnderstood(_ text: String, _ expected: Duration?) throws {
        let (configuration, warnings) = read(["REACTOR_MAX_BLOCKING": text])
        #expect(warnings.isEmpty)
        #expect(configuration.maxBlockingTime == expected)
    }

    @Test(arguments: [
        ("REACTOR_MAX_BLOCKING", "fast"), ("REACTOR_MAX_BLOCKING", "-1"), ("REACTOR_MAX_BLOCKING", "0.0001"),
        ("REACTOR_BACKEND", "kqueue"), ("REACTOR_FILES", "aio"), ("REACTOR_RESOLVER", "ares"),
        ("REACTOR_DUMP_SIGNAL", "BREAK"), ("REACTOR_ACCOUNTING", "2"), ("REACTOR_STACK_SIZE", "1"),
        ("REACTOR_STACK_SIZE", "64k"), ("REACTOR_TESTING_PATIENCE", "0"),
        ("REACTOR_TRACK_GREENLET_TREE", "maybe"),
    ])
    func nonsenseIsOneWarningWithTheValuesAllowed(_ name: String, _ text: String) throws {
        let (_, warnings) = read([name: text])
        let variable = try #require(ReactorConfiguration.variables.first { $0.name == name })
        #expect(
            warnings == ["\(name) is \"\(text)\": give \(variable.values); \(variable.standard) is taken"])
    }

    @Test func codeHasTheLastWord() async {
        await #expect(processExitsWith: .success) {
            setenv("REACTOR_RESOLVER", "native", 1)
            setenv("REACTOR_MAX_BLOCKING", "3", 1)
            setenv("REACTOR_ACCOUNTING", "1", 1)
            let first = Reactor()
            try first.run(until: {
                precondition(first.resolver is NativeResolver)
                precondition(first.isAccounting)
                precondition(first.monitor.maxBlockingTime == .seconds(3))
            })
            var configuration = ReactorConfiguration()
            precondition(configuration.resolver == .native)
            configuration.resolver = .blocking
            configuration.maxBlockingTime = nil
            let own = Reactor(configuration: configuration)
            try own.run(until: {
                precondition(own.resolver is BlockingResolver)
                precondition(own.monitor.maxBlockingTime == nil)
            })
            precondition(ReactorConfiguration.current.resolver == .native)
            ReactorConfiguration.current = .standard
            let last = Reactor()
            try last.run(until: { precondition(last.resolver is SystemResolver) })
            precondition(own.configuration.resolver == .blocking)
        }
    }

    @Test func nonsenseInTheEnvironmentIsReportedOnceAndStopsNobody() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            setenv("REACTOR_BACKEND", "kqueue", 1)
            for _ in 0..<3 {
                let reactor = Reactor()
                try reactor.run(until: { precondition(reactor.backend == .epoll) })
            }
        }
        let text = String(decoding: result.standardErrorContent, as: UTF8.self)
        let warnings = text.split(separator: "\n").filter { $0.contains("REACTOR_BACKEND") }
        #expect(warnings.count == 1)
        #expect(
            warnings.first?.contains(
                "REACTOR_BACKEND is \"kqueue\": give epoll, io_uring or automatic; automatic, which is epoll is taken"
            )
                == true)
    }
}
