import Glibc
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct RunTests {
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

    @Test func runUntilInsideRunIsAnErrorAndItsMainNeverRuns() async throws {  // S35
        try await withReactor { reactor in
            let ran = Counter()
            let error = #expect(throws: ReactorError.self) {
                try reactor.run(until: { ran.add() })
            }
            #expect(error?.code == .alreadyRunning)
            try await reactor.sleep(for: .milliseconds(2))
            #expect(ran.value == 0)
        }
    }

    @Test func runUntilFromAnotherThreadIsAnErrorAndDisturbsNothing() async throws {  // S35
        try await withReactor { reactor in
            let ran = Counter()
            let code = try await reactor.threadPool.run { () -> ReactorError.Code? in
                do { try reactor.run(until: { ran.add() }) } catch { return (error as? ReactorError)?.code }
                return nil
            }
            #expect(code == .alreadyRunning)
            try await reactor.sleep(for: .milliseconds(2))
            #expect(ran.value == 0)
            #expect(reactor.isRunning)
        }
    }

    @Test func stopEndsTheWaitForMainByCancellingIt() throws {
        let reactor = Reactor()
        #expect(throws: CancellationError.self) {
            try reactor.run(until: {
                try reactor.stop()
                try await reactor.sleep(for: .seconds(60))
            })
        }
        let value = try reactor.run(until: {
            try await reactor.sleep(for: .milliseconds(1))
            return 7
        })
        #expect(value == 7, "that stop is over")
    }

    @Test func workQueuedBeforeRunWaitsForIt() throws {  // S42
        let reactor = Reactor()
        let log = Log()
        for number in 0..<3 { reactor.callFromThread { log.note("\(number)") } }
        let lines = try reactor.run(until: { log.lines })
        #expect(lines == ["0", "1", "2"])
    }

    @Test func errorOfMainIsThrownByRun() {
        struct Boom: Error {}
        #expect(throws: Boom.self) { try Reactor().run(until: { throw Boom() }) }
    }

    @Test func stopOfAReactorThatDoesNotRunIsAnError() throws {  // S35
        let reactor = Reactor()
        let before = #expect(throws: ReactorError.self) { try reactor.stop() }
        #expect(before?.code == .notRunning)
        #expect(before?.message.contains("whenRunning") == true)
        try reactor.run(until: {})
        let after = #expect(throws: ReactorError.self) { try reactor.stop() }
        #expect(after?.code == .notRunning)
    }

    @Test func stopOfAReactorThatStopsAlreadyIsAnError() throws {  // S35
        let reactor = Reactor()
        let log = Log()
        reactor.whenRunning {
            try reactor.stop()
            log.note(#expect(throws: ReactorError.self) { try reactor.stop() }?.code.description ?? "none")
        }
        reactor.addSystemEventTrigger(.after, .shutdown) {
            log.note(#expect(throws: ReactorError.self) { try reactor.stop() }?.code.description ?? "none")
        }
        try reactor.run()
        #expect(log.lines == ["notRunning", "notRunning"])
    }

    /// How a reactor is asked to stop by somebody who cannot know whether it runs yet.
    @Test func stopAskedForBeforeRunIsRememberedByWhenRunning() throws {
        let reactor = Reactor()
        let log = Log()
        reactor.whenRunning { try reactor.stop() }
        reactor.addSystemEventTrigger(.after, .shutdown) { log.note("stopped") }
        try reactor.run()
        #expect(log.lines == ["stopped"])
    }

    @Test func stopFromAnotherThreadWakesASleepingLoop() throws {
        let reactor = Reactor()
        reactor.whenRunning {
            try reactor.callInThread {
                usleep(2_000)
                try? reactor.stop()
            }
        }
        try reactor.run()
        #expect(!reactor.isRunning)
    }

    @Test func callsOfWhenRunningKeepTheirOrder() throws {  // S34
        let reactor = Reactor()
        let log = Log()
        for number in 0..<3 {
            reactor.whenRunning { log.note("\(number) \(reactor.isRunning)") }
        }
        reactor.whenRunning {
            reactor.whenRunning {
                log.note("from inside")
                try reactor.stop()
            }
            log.note("last")
        }
        try reactor.run()
        #expect(log.lines == ["0 true", "1 true", "2 true", "last", "from inside"])
    }

    @Test func errorInACallOfWhenRunningIsReportedAndTheRestRuns() throws {  // S36
        let reactor = Reactor()
        let log = Log()
        reactor.whenRunning { reactor.onUncaughtError = { log.note("\($1): \($0)") } }
        let line: UInt = #line + 1
        reactor.whenRunning { throw Spam() }
        reactor.callFromThread { throw Spam() }
        reactor.whenRunning { try reactor.stop() }
        try reactor.run()
        #expect(
            log.lines == [
                "the call made when running, of ReactorCoreTests/RunTests.swift:\(line): Spam()",
                "the call from a thread made at ReactorCoreTests/RunTests.swift:\(line + 1): Spam()",
            ])
    }

    @Test func crashSkipsTheTriggersAndAllowsAnotherRun() throws {  // S35
        let reactor = Reactor()
        let log = Log()
        for phase in SystemEventPhase.allCases {
            reactor.addSystemEventTrigger(phase, .shutdown) { log.note("\(phase)") }
        }
        reactor.whenRunning { reactor.crash() }
        try reactor.run()
        #expect(log.lines == [] && !reactor.isRunning)
        reactor.whenRunning { try reactor.stop() }
        try reactor.run()
        #expect(log.lines == ["before", "during", "after"], "kept for the stop that came")
    }

    @Test func crashOfAReactorThatDoesNotRunDoesNothing() throws {
        let reactor = Reactor()
        reactor.crash()
        let value = try reactor.run(until: { 3 })
        #expect(value == 3)
    }

    @Test func crashEndsAShutdownThatHangs() throws {
        let reactor = Reactor()
        let log = Log()
        let never = Unfired()
        reactor.addSystemEventTrigger(.before, .shutdown) { never.deferred }
        reactor.addSystemEventTrigger(.during, .shutdown) { log.note("during") }
        reactor.whenRunning {
            try reactor.stop()
            reactor.callLater(.milliseconds(2)) {
                #expect(reactor.isRunning)
                reactor.crash()
            }
        }
        try reactor.run()
        #expect(log.lines == [])
        // The firing that was given up does not go on in a later run, when what it waited for has come.
        reactor.whenRunning {
            try never.deferred.callback(())
            log.note("next run")
            try reactor.stop()
        }
        try reactor.run()
        #expect(log.lines == ["next run", "during"])
    }

    @Test func crashDuringRunUntilThrowsAndMainEndsInTheNextRun() throws {
        let reactor = Reactor()
        let log = Log()
        let error = #expect(throws: ReactorError.self) {
            try reactor.run(until: {
                reactor.crash()
                do { try await reactor.sleep(for: .seconds(60)) } catch { log.note("\(error)") }
            })
        }
        #expect(error?.code == .crashed)
        let value = try reactor.run(until: {
            try await reactor.sleep(for: .milliseconds(1))
            return "second"
        })
        #expect(value == "second", "the end of the first main has not stopped the second run")
        #expect(log.lines == ["CancellationError()"])
    }

    @Test func iterateMakesOneTurn() throws {
        let clock = ManualClock()
        let reactor = Reactor(clock: clock)
        let log = Log()
        reactor.callFromThread {
            log.note("called")
            reactor.callLater(.seconds(1)) { log.note("timer") }
        }
        reactor.whenRunning { log.note("running") }
        try reactor.iterate()
        #expect(log.lines == ["called"] && !reactor.isRunning)
        try reactor.iterate()
        #expect(log.lines == ["called"])
        clock.advance(by: .seconds(1))
        try reactor.iterate()
        #expect(log.lines == ["called", "timer"])
        let lines = try reactor.run(until: { log.lines })
        #expect(lines == ["called", "timer", "running"])
    }

    @Test func iterateWaitsAtMostThatLong() throws {
        let reactor = Reactor()
        let start = MonotonicClock().now
        try reactor.iterate(for: .milliseconds(20))
        let waited = start.duration(to: MonotonicClock().now)
        #expect(waited >= .milliseconds(20) && waited < .seconds(5))
        // And no longer than until something happens.
        reactor.callFromThread {}
        try reactor.iterate(for: .seconds(3_600))
    }

    @Test func iterateInsideRunIsAnError() async throws {  // S35
        try await withReactor { reactor in
            let error = #expect(throws: ReactorError.self) { try reactor.iterate() }
            #expect(error?.code == .alreadyRunning)
        }
    }

    @Test func eachRunGetsItsOwnThreadPool() throws {  // S42
        let reactor = Reactor()
        let first = try reactor.run(until: {
            _ = try await reactor.threadPool.run { 1 }
            return reactor.threadPool
        })
        let error = #expect(throws: ReactorError.self) { try first.submit {} }
        #expect(error?.code == .threadPoolStopped)
        let value = try reactor.run(until: { try await reactor.threadPool.run { 2 } })
        #expect(value == 2)
    }

    @Test func threadPoolServesTheTriggersBeforeAndDuringShutdown() throws {  // S42
        let reactor = Reactor()
        let log = Log()
        for phase in [SystemEventPhase.before, .during] {
            reactor.addSystemEventTrigger(phase, .shutdown) {
                let pool = reactor.threadPool
                log.note(try await pool.run { "\(phase)" })
            }
        }
        try reactor.run(until: {})
        #expect(log.lines == ["before", "during"])
    }
}

private struct Spam: Error {}

/// Lines from the reactor's thread, read when it has stopped.
private final class Log: Sendable {
    private let storage = Mutex<[String]>([])
    var lines: [String] { storage.withLock { $0 } }
    func note(_ line: String) { storage.withLock { $0.append(line) } }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .acquiring) }
    func add() { count.add(1, ordering: .acquiringAndReleasing) }
}

/// A Deferred made on the reactor it is asked for on.
@ReactorActor private final class Unfired {
    private(set) lazy var deferred = Deferred<Void>()
    nonisolated init() {}
}
