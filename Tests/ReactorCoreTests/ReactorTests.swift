import ReactorCore
import ReactorTesting
import Testing

@Suite struct ReactorTests {
    @Test func tasksRunOnTheReactorThreadFromFirstStepToLast() async throws {
        try await withReactor { reactor in
            #expect(reactor.isOnReactorThread)
            #expect(Reactor.current === reactor)
            await reactor.yield()
            #expect(reactor.isOnReactorThread)
            async let child = childThreadCheck(reactor)
            #expect(await child)
        }
    }

    @Test func comingBackFromAnotherActorFindsTheSameReactor() async throws {
        try await withReactor { reactor in
            _ = await Elsewhere().work()
            #expect(reactor.isOnReactorThread)
        }
    }

    @Test func stoppedReactorRunsAgain() throws {
        let reactor = Reactor()
        for round in 1...3 {
            let value = try reactor.run(until: {
                try await reactor.sleep(for: .milliseconds(1))
                return round
            })
            #expect(value == round)
        }
        #expect(!reactor.isRunning)
    }

    @Test func runInsideRunIsAnError() async throws {  // S35
        try await withReactor { reactor in
            let error = #expect(throws: ReactorError.self) { try reactor.run() }
            #expect(error?.code == .alreadyRunning)
        }
    }

    @Test func stopBeforeRunIsRemembered() throws {
        let reactor = Reactor()
        reactor.stop()
        try reactor.run()
    }

    @Test func errorOfMainIsThrownByRun() {
        struct Boom: Error {}
        #expect(throws: Boom.self) { try Reactor().run(until: { throw Boom() }) }
    }

    @Test func errorInATimerIsReportedAndTheRestRuns() async throws {  // S36
        struct Spam: Error {}
        try await withReactor { reactor in
            var reported: [String] = []
            reactor.onUncaughtError = { error, context in reported.append("\(context): \(error)") }
            reactor.callLater(.zero) { throw Spam() }
            var ran = false
            reactor.callLater(.zero) { ran = true }
            try await reactor.sleep(for: .milliseconds(1))
            #expect(ran)
            #expect(reported == ["a delayed call: Spam()"])
        }
    }

    @Test func callsFromThreadsArriveInOrderPerThread() async throws {  // S39
        try await withReactor { reactor in
            let box = Box()
            await withTaskGroup(of: Void.self) { group in
                for thread in 0..<4 {
                    group.addTask {
                        for number in 0..<5_000 {
                            reactor.callFromThread { box.received[thread].append(number) }
                        }
                    }
                }
            }
            while box.received.map(\.count).reduce(0, +) < 20_000 {
                try await reactor.sleep(for: .milliseconds(1))
            }
            #expect(box.received.allSatisfy { $0 == Array(0..<5_000) })
        }
    }

    @Test func yieldingTasksDoNotHoldUpTimers() async throws {
        try await withReactor { reactor in
            var isOver = false
            reactor.callLater(.milliseconds(5)) { isOver = true }
            while !isOver { await reactor.yield() }
        }
    }

    @Test func yieldAlternatesFairly() async throws {  // S51
        try await withReactor { reactor in
            let log = Log()
            async let first: Void = steps("1", log)
            async let second: Void = steps("2", log)
            _ = await (first, second)
            #expect(log.lines == ["1A", "2A", "1B", "2B"])
        }
    }

    @ReactorActor private func steps(_ name: String, _ log: Log) async {
        log.lines.append(name + "A")
        await Reactor.current.yield()
        log.lines.append(name + "B")
    }
}

@ReactorActor private final class Box { var received = [[Int]](repeating: [], count: 4) }
@ReactorActor private final class Log { var lines: [String] = [] }
private func childThreadCheck(_ reactor: Reactor) async -> Bool { reactor.isOnReactorThread }
private actor Elsewhere { func work() -> Int { 1 } }
