import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

/// From made to ended: what each state answers. Both kinds of body.
@Suite struct GreenletLifeTests {
    struct Lost: Error {}

    @ReactorActor private func make<Value: Sendable>(
        _ isAsync: Bool, _ value: Value, failing error: (any Error)? = nil
    ) -> Greenlet<Value> {
        isAsync
            ? Greenlet { () async throws -> Value in
                try await Greenlet.sleep(for: .seconds(1))
                if let error { throw error }
                return value
            }
            : Greenlet { () throws -> Value in
                try Greenlet.sleep(for: .seconds(1))
                if let error { throw error }
                return value
            }
    }

    @Test(.onReactor(clock: ManualClock()), arguments: [false, true])
    @ReactorActor func statesFromUnstartedToDone(_ isAsync: Bool) async throws {  // S52
        let greenlet = make(isAsync, 4)
        #expect(!greenlet.isRunning && !greenlet.isStarted && !greenlet.isReady && !greenlet.isSuccessful)
        #expect(greenlet.result == nil)
        greenlet.start()
        #expect(greenlet.isRunning && !greenlet.isStarted && !greenlet.isReady && !greenlet.isSuccessful)
        await ManualClock.current.settle()
        #expect(greenlet.isRunning && greenlet.isStarted && !greenlet.isReady && !greenlet.isSuccessful)
        #expect(greenlet.result == nil)
        await ManualClock.current.pump([.seconds(1)])
        #expect(!greenlet.isRunning && greenlet.isStarted && greenlet.isReady && greenlet.isSuccessful)
        let value = try greenlet.result?.get()
        #expect(value == 4)
    }

    @Test(.onReactor(clock: ManualClock()), arguments: [false, true])
    @ReactorActor func statesFromUnstartedToFailed(_ isAsync: Bool) async throws {  // S52
        let greenlet = make(isAsync, 4, failing: Lost())
        greenlet.onReady {}
        greenlet.start()
        await ManualClock.current.pump([.zero, .seconds(1)])
        #expect(!greenlet.isRunning && greenlet.isStarted && greenlet.isReady && !greenlet.isSuccessful)
        #expect(throws: Lost.self) { try greenlet.result?.get() }
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func onlyTheFirstStartCounts(_ isAsync: Bool) async throws {
        var runs = 0
        let greenlet = isAsync ? Greenlet { () async in runs += 1 } : Greenlet { runs += 1 }
        greenlet.start()
        greenlet.start()
        greenlet.start(after: .zero)
        try await greenlet.join()
        greenlet.start()
        for _ in 0..<5 { await reactor.yield() }
        #expect(runs == 1)
        #expect(reactor.delayedCallCount == 0)
    }

    @Test(.onReactor(clock: ManualClock()))
    @ReactorActor func delayedStartKeepsItsTimeWhateverStartsCome() async throws {
        var log: [String] = []
        let greenlets = [
            Greenlet.spawn(after: .seconds(2)) { log.append("second") },
            Greenlet.spawn(after: .seconds(1)) { () async in log.append("first") },
        ]
        greenlets[0].start()
        #expect(greenlets.allSatisfy { $0.isRunning && !$0.isStarted })
        await ManualClock.current.pump([.milliseconds(999)])
        #expect(log == [])
        await ManualClock.current.pump([.milliseconds(1)])
        #expect(log == ["first"])
        await ManualClock.current.pump([.seconds(1)])
        #expect(log == ["first", "second"])
    }

    @Test(.onReactor)
    @ReactorActor func delayedStartHasTheTaskLocalValuesOfItsStart() async throws {
        let greenlet = Locals.$word.withValue("bound") {
            Greenlet.spawn(after: .zero) { Locals.word }
        }
        let word = try await greenlet.get()
        #expect(word == "bound")
    }

    @Test(.onReactor)
    @ReactorActor func unstartedGreenletIsFreedWithItsBodyAndLinks() {
        final class Witness: Sendable {}
        weak var body: Witness?
        weak var greenlet: AnyGreenlet?
        do {
            let witness = Witness()
            let unstarted = Greenlet { _ = witness }
            unstarted.onCompletion { _ in _ = witness }
            unstarted.onReady { _ = witness }
            body = witness
            greenlet = unstarted
        }
        #expect(body == nil && greenlet == nil)
    }

    @Test(.onReactor)
    @ReactorActor func spawnedLeastFirstAndTurnAbout() async throws {  // S51
        var log: [String] = []
        let greenlets = ["1", "2"].map { name in
            Greenlet.spawn { () throws -> Void in
                log.append(name + "A")
                try Greenlet.sleep(for: .zero)
                log.append(name + "B")
            }
        }
        try await Greenlet.joinAll(greenlets)
        #expect(log.prefix(2) == ["1A", "2A"])
        #expect(log.sorted() == ["1A", "1B", "2A", "2B"])
    }

    @Test(.onReactor)
    @ReactorActor func yieldingGreenletsTakeTurns() async throws {  // S51
        var log: [String] = []
        let greenlets = [
            Greenlet.spawn { () throws -> Void in
                log.append("1A")
                try Greenlet.yield()
                log.append("1B")
            },
            Greenlet.spawn { () throws -> Void in
                log.append("2A")
                try Greenlet.yield()
                log.append("2B")
            },
        ]
        try await Greenlet.joinAll(greenlets)
        #expect(log == ["1A", "2A", "1B", "2B"])
    }

    @Test(.onReactor)
    @ReactorActor func detachedGreenletRuns() async throws {
        var log: [String] = []
        Greenlet.spawnDetached { log.append("synchronous") }
        Greenlet.spawnDetached { () async in log.append("async") }
        while log.count < 2 { await reactor.yield() }
        #expect(log == ["synchronous", "async"])
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func joiningOneselfIsAnError(_ isAsync: Bool) async throws {
        let greenlet =
            isAsync
            ? Greenlet.spawn { () async throws -> Void in try await AnyGreenlet.current?.join() }
            : Greenlet.spawn { () throws -> Void in try AnyGreenlet.current?.join(timeout: .seconds(60)) }
        let error = await #expect(throws: GreenletError.self) { try await greenlet.get() }
        #expect(error?.code == .waitsForItself)
        let all = Greenlet.spawn { () throws -> Void in try Greenlet.joinAll([AnyGreenlet.current!]) }  // set
        let other = await #expect(throws: GreenletError.self) { try await all.get() }
        #expect(other?.code == .waitsForItself)
    }

    @Test(.onReactor)
    @ReactorActor func taskThatAGreenletHasMadeMayJoinIt() async throws {
        var joined = false
        var task: Task<Void, any Error>?
        let greenlet = Greenlet.spawn { () async in
            task = Reactor.current.startJoining { try await $0.join() }
        }
        try await greenlet.join()
        try await task?.value
        joined = true
        #expect(joined)
    }

    // MARK: Reports

    @Test(.onReactor)
    @ReactorActor func reportOfAnUncaughtErrorSaysWhoWhereAndWhen() async throws {
        var reports: [String] = []
        reactor.onUncaughtError = { error, context in reports.append("\(context): \(error)") }
        let greenlet = Greenlet.spawn(name: "g") { () throws -> Void in throw Lost() }
        while !greenlet.isReady { await reactor.yield() }
        let report = try #require(reports.first)
        let pattern =
            #/greenlet "g" spawned at GreenletsTests/GreenletLifeTests.swift:\d+, failed at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: Lost\(\)/#
        let isAsExpected = report.wholeMatch(of: pattern) != nil
        #expect(isAsExpected, "\(report)")
    }

    @Test func timeOfDayIsWrittenAsISO8601() {
        #expect(WallClock.text(of: 0) == "1970-01-01T00:00:00Z")
        #expect(WallClock.text(of: 1_795_275_228) == "2026-11-21T15:33:48Z")
    }
}

extension Reactor {
    /// A task that inherits the greenlet of its maker, and is none.
    @ReactorActor fileprivate func startJoining(
        _ body: @escaping @Sendable @ReactorActor (AnyGreenlet) async throws -> Void
    ) -> Task<Void, any Error> {
        let greenlet = AnyGreenlet.current!  // called in a greenlet
        let run: @Sendable @ReactorActor () async throws -> Void = { try await body(greenlet) }
        return Self.task(on: self, run)
    }

    private nonisolated static func task(
        on reactor: Reactor, _ run: @escaping @Sendable @ReactorActor () async throws -> Void
    ) -> Task<Void, any Error> { Task(executorPreference: reactor, operation: run) }
}

private enum Locals { @TaskLocal static var word = "unbound" }
