import ReactorCore
import ReactorTesting
import Testing

/// The part of README.md about Deferreds and time, compiled and run. Keep the two alike.
@Suite struct ReadmeCoreExampleTests {
    @Test func exampleOfTheReadmeRuns() async throws {
        let log = Log()
        func print(_ text: String) { ReactorActor.assumeIsolated { log.lines.append(text) } }
        @ReactorActor func fetch(_ part: String) -> Deferred<String> {
            Reactor.current.deferLater(.milliseconds(20)) { part.uppercased() }
        }

        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let page = gatherResults([fetch("head"), fetch("body")])
                .addCallback { parts in parts.joined(separator: "\n") }
                .addTimeout(.seconds(5))
                .addErrback { error in "no page: \(error)" }

            let lock = DeferredLock()
            let ticker = LoopingCall(reactor) { lock.run { print("tick") } }
            ticker.start(every: .milliseconds(10))

            reactor.addSystemEventTrigger(.before, .shutdown) { ticker.stop() }

            let sum = reactor.deferToThread { (1...1_000).reduce(0, +) }
            print("\(try await page.value), \(try await sum.value)")
            ticker.stop()
            #expect(log.lines.contains("HEAD\nBODY, 500500"))
            #expect(log.lines.contains("tick"))
        }
    }
}

@ReactorActor private final class Log {
    var lines: [String] = []
    nonisolated init() {}
}
