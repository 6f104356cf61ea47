import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct SystemEventTests {
    @Test func startupPhasesSeeRunningFalseTrueTrue() throws {  // S34
        let reactor = Reactor()
        let log = Log()
        for phase in SystemEventPhase.allCases.reversed() {
            reactor.addSystemEventTrigger(phase, .startup) { log.note("\(phase) \(reactor.isRunning)") }
        }
        try reactor.run(until: { log.note("main") })
        #expect(log.lines == ["before false", "during true", "after true", "main"])
    }

    @Test func stopFiresBeforeDuringAndAfterShutdownAsynchronously() throws {  // S34
        let reactor = Reactor()
        let log = Log()
        for phase in SystemEventPhase.allCases.reversed() {
            reactor.addSystemEventTrigger(phase, .shutdown) { log.note("\(phase) \(reactor.isRunning)") }
        }
        reactor.whenRunning {
            try reactor.stop()
            log.note("stopped")
        }
        try reactor.run()
        #expect(log.lines == ["stopped", "before true", "during true", "after true"])
        #expect(!reactor.isRunning)
    }

    @Test func triggersOfAPhaseAreCalledInTheOrderTheyWereAdded() throws {
        let reactor = Reactor()
        let log = Log()
        for number in 0..<5 { reactor.addSystemEventTrigger(.during, .shutdown) { log.note("\(number)") } }
        try reactor.run(until: {})
        #expect(log.lines == ["0", "1", "2", "3", "4"])
    }

    @Test func duringWaitsForEveryDeferredAndTaskOfBefore() async throws {
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            let log = Log()
            let event = SystemEvent.custom("rehearsal")
            let deferred = Deferred<Int>()
            reactor.addSystemEventTrigger(.before, event) { deferred }
            reactor.addSystemEventTrigger(.before, event) {
                try await reactor.sleep(for: .seconds(2))
                log.note("slept")
            }
            reactor.addSystemEventTrigger(.before, event) { log.note("third") }
            reactor.addSystemEventTrigger(.during, event) { log.note("during") }
            reactor.callLater(.seconds(5)) {
                log.note("fires")
                try deferred.callback(1)
            }
            reactor.fireSystemEvent(event)
            #expect(log.lines == ["third"])
            try await reactor.sleep(for: .seconds(10))
            #expect(log.lines == ["third", "slept", "fires", "during"])
        }
    }

    @Test func asynchronousTriggersOfShutdownEndBeforeRunReturns() throws {
        let reactor = Reactor(clock: ManualClock(isAutomatic: true))
        let log = Log()
        for phase in SystemEventPhase.allCases {
            reactor.addSystemEventTrigger(phase, .shutdown) {
                try await reactor.sleep(for: .seconds(1))
                log.note("\(phase)")
            }
        }
        try reactor.run(until: { log.note("main") })
        #expect(log.lines == ["main", "before", "during", "after"])
    }

    @Test func mainIsCancelledAndHasEndedBeforeDuringShutdown() throws {
        let reactor = Reactor()
        let log = Log()
        reactor.addSystemEventTrigger(.before, .shutdown) { log.note("before") }
        reactor.addSystemEventTrigger(.during, .shutdown) { log.note("during") }
        #expect(throws: CancellationError.self) {
            try reactor.run(until: {
                try reactor.stop()
                do { try await reactor.sleep(for: .seconds(60)) } catch {
                    await reactor.yield()
                    log.note("main ends")
                    throw error
                }
            })
        }
        #expect(log.lines == ["before", "main ends", "during"])
    }

    @Test func errorsOfTriggersAreReportedWithTheirSiteAndTheRestRuns() async throws {  // S36
        try await withReactor { reactor in
            let log = Log()
            let report = reactor.onUncaughtError
            reactor.onUncaughtError = { log.note("\($1): \($0)") }
            defer { reactor.onUncaughtError = report }
            let event = SystemEvent.custom("rehearsal")
            let line: UInt = #line + 1
            reactor.addSystemEventTrigger(.before, event) { throw Spam(number: 1) }
            reactor.addSystemEventTrigger(.before, event) { Deferred<Int>.fail(Spam(number: 2)) }
            reactor.addSystemEventTrigger(.before, event) {
                await reactor.yield()
                throw Spam(number: 3)
            }
            reactor.addSystemEventTrigger(.after, event) { log.note("after") }
            reactor.fireSystemEvent(event)
            while !log.lines.contains("after") { await reactor.yield() }
            let site = "trigger added at ReactorCoreTests/SystemEventTests.swift"
            #expect(
                log.lines == [
                    "the before rehearsal \(site):\(line): Spam(number: 1)",
                    "the before rehearsal \(site):\(line + 1): Spam(number: 2)",
                    "the before rehearsal \(site):\(line + 2): Spam(number: 3)",
                    "after",
                ])
        }
    }

    @Test func removedTriggerIsNotCalledAndASecondRemovalSaysSo() async throws {
        try await withReactor { reactor in
            let log = Log()
            let event = SystemEvent.custom("rehearsal")
            let first = reactor.addSystemEventTrigger(.during, event) { log.note("first") }
            let second = reactor.addSystemEventTrigger(.during, event) { log.note("second") }
            #expect(reactor.removeSystemEventTrigger(first))
            #expect(!reactor.removeSystemEventTrigger(first))
            reactor.fireSystemEvent(event)
            #expect(log.lines == ["second"])
            #expect(!reactor.removeSystemEventTrigger(second), "it has been called")
        }
    }

    @Test func triggerIsCalledOnceHoweverOftenTheEventFires() async throws {
        try await withReactor { reactor in
            let log = Log()
            let event = SystemEvent.custom("rehearsal")
            reactor.addSystemEventTrigger(.during, event) { log.note("first") }
            reactor.fireSystemEvent(event)
            reactor.addSystemEventTrigger(.during, event) { log.note("second") }
            reactor.fireSystemEvent(event)
            reactor.fireSystemEvent(.custom("another"))
            #expect(log.lines == ["first", "second"])
        }
    }

    @Test func triggerAddedWhileTheEventFiresIsCalledUnlessItsPhaseIsOver() async throws {
        try await withReactor { reactor in
            let log = Log()
            let event = SystemEvent.custom("rehearsal")
            reactor.addSystemEventTrigger(.during, event) {
                reactor.addSystemEventTrigger(.before, event) { log.note("before, of the next firing") }
                reactor.addSystemEventTrigger(.during, event) { log.note("during") }
                reactor.addSystemEventTrigger(.after, event) { log.note("after") }
            }
            reactor.fireSystemEvent(event)
            #expect(log.lines == ["during", "after"])
            reactor.fireSystemEvent(event)
            #expect(log.lines == ["during", "after", "before, of the next firing"])
        }
    }

    @Test func eventFiredWhileItFiresFiresAgainAfterwards() async throws {
        try await withReactor { reactor in
            let log = Log()
            let event = SystemEvent.custom("rehearsal")
            let deferred = Deferred<Void>()
            reactor.addSystemEventTrigger(.before, event) { deferred }
            reactor.addSystemEventTrigger(.after, event) { log.note("first is over") }
            reactor.fireSystemEvent(event)
            reactor.addSystemEventTrigger(.before, event) { log.note("second") }
            reactor.fireSystemEvent(event)
            #expect(log.lines == [])
            try deferred.callback(())
            #expect(log.lines == ["first is over", "second"])
        }
    }

    @Test func stopDuringStartupGivesUpThePhasesToCome() throws {
        let reactor = Reactor()
        let log = Log()
        reactor.addSystemEventTrigger(.before, .startup) {
            log.note("before")
            try reactor.stop()
        }
        reactor.addSystemEventTrigger(.before, .startup) { log.note("before, too") }
        reactor.addSystemEventTrigger(.during, .startup) { log.note("during") }
        reactor.addSystemEventTrigger(.before, .shutdown) { log.note("shutdown") }
        reactor.whenRunning { log.note("running") }
        try reactor.run()
        #expect(log.lines == ["before", "before, too", "shutdown"])
        reactor.whenRunning { try reactor.stop() }
        try reactor.run()
        #expect(log.lines.dropFirst(3) == ["during", "running"], "kept for the run that started up")
    }

    @Test func startupThatHangsCanBeStoppedAndMainNeverRuns() throws {
        let reactor = Reactor()
        let log = Log()
        reactor.addSystemEventTrigger(.before, .startup) { try await reactor.sleep(for: .seconds(3_600)) }
        reactor.callFromThread {
            reactor.callLater(.milliseconds(2)) {
                #expect(!reactor.isRunning)
                try reactor.stop()
            }
        }
        #expect(throws: CancellationError.self) { try reactor.run(until: { log.note("main") }) }
        #expect(log.lines == [])
    }

    @Test func whenRunningAndMainWaitForAnAsynchronousStartup() throws {  // S34
        let reactor = Reactor(clock: ManualClock(isAutomatic: true))
        let log = Log()
        reactor.whenRunning { log.note("running") }
        reactor.addSystemEventTrigger(.before, .startup) {
            try await reactor.sleep(for: .seconds(3))
            log.note("started")
        }
        try reactor.run(until: { log.note("main") })
        #expect(log.lines == ["started", "running", "main"])
    }

    @Test func firingStartupOrShutdownByHandTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { reactor in reactor.fireSystemEvent(.shutdown) }
        }
        let text = String(decoding: exit?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("fireSystemEvent(shutdown): run() fires startup, stop() fires shutdown"))
    }

    @Test func customEventOfTheSameNameIsNotTheReactors() throws {
        let reactor = Reactor()
        let log = Log()
        reactor.addSystemEventTrigger(.during, .custom("shutdown")) { log.note("custom") }
        try reactor.run(until: {})
        #expect(log.lines == [])
    }
}

private struct Spam: Error { var number: Int }

/// Lines from the reactor's thread, read when it has stopped.
private final class Log: Sendable {
    private let storage = Mutex<[String]>([])
    var lines: [String] { storage.withLock { $0 } }
    func note(_ line: String) { storage.withLock { $0.append(line) } }
}
