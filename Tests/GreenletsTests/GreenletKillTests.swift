import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

/// Every way to be killed, at every stage of a life. Both kinds of body.
@Suite struct GreenletKillTests {
    struct Lost: Error {}

    enum Stage: CaseIterable { case unstarted, started, startedForLater, running }
    enum Way: CaseIterable { case cancel, kill, cancelAll, killAll, killTwice }

    struct Case: CustomTestStringConvertible {
        let stage: Stage
        let way: Way
        let isAsync: Bool
        let isOther: Bool
        var testDescription: String {
            "\(stage) \(way) \(isAsync ? "async" : "synchronous") \(isOther ? "other" : "exit")"
        }

        static var all: [Case] {
            Stage.allCases.flatMap { stage in
                Way.allCases.flatMap { way in
                    [false, true].flatMap { isAsync in
                        [false, true].map { Case(stage: stage, way: way, isAsync: isAsync, isOther: $0) }
                    }
                }
            }
        }
    }

    @Test(.onReactor(clock: ManualClock()), arguments: Case.all)
    @ReactorActor func killedBodyNeverRunsOnAndLinksFireOnce(_ test: Case) async throws {  // S53
        var isPast = false
        var began = false
        let greenlet =
            test.isAsync
            ? Greenlet { () async throws -> Int in
                began = true
                try await Greenlet.sleep(for: .seconds(60))
                isPast = true
                return 1
            }
            : Greenlet { () throws -> Int in
                began = true
                try Greenlet.sleep(for: .seconds(60))
                isPast = true
                return 1
            }
        var links: [String] = []
        greenlet.onCompletion { _ in links.append("completion") }
        greenlet.onSuccess { _ in links.append("success") }
        greenlet.onFailure { _ in links.append("failure") }
        switch test.stage {
        case .unstarted: break
        case .started: greenlet.start()
        case .startedForLater: greenlet.start(after: .seconds(1))
        case .running:
            greenlet.start()
            await ManualClock.current.settle()
        }
        let error: any Error = test.isOther ? Lost() : GreenletExit()
        switch test.way {
        case .cancel: greenlet.cancel(throwing: error)
        case .kill: try await greenlet.kill(throwing: error)
        case .cancelAll: Greenlet.cancelAll([greenlet], throwing: error)
        case .killAll: try await Greenlet.killAll([greenlet], throwing: error)
        case .killTwice:
            greenlet.cancel(throwing: error)
            try await greenlet.kill()
            try await greenlet.kill(throwing: Lost())
        }
        #expect(greenlet.isReady || test.stage == .running)
        await ManualClock.current.settle()
        greenlet.start()
        greenlet.start(after: .zero)
        await ManualClock.current.pump([.seconds(120)])
        #expect(began == (test.stage == .running) && !isPast)
        #expect(links == ["completion", test.isOther ? "failure" : "success"])
        #expect(greenlet.isReady && !greenlet.isRunning && greenlet.isSuccessful == !test.isOther)
        if test.isOther {
            await #expect(throws: Lost.self) { try await greenlet.get() }
        } else {
            await #expect(throws: GreenletExit.self) { try await greenlet.get() }
        }
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func killGivesUpQuietlyWhenItsTimeIsOver(_ isFromGreenlet: Bool) async throws {  // S54
        let stubborn = Greenlet.spawn { () throws -> Int in
            do { try Greenlet.sleep(for: .seconds(60)) } catch {}
            try withCancellationShield { try Greenlet.sleep(for: .milliseconds(60)) }
            return 7
        }
        for _ in 0..<3 { await reactor.yield() }
        let hasEnded =
            isFromGreenlet
            ? try await Greenlet.spawn { try stubborn.kill(timeout: .milliseconds(10)) }.get()
            : try await stubborn.kill(timeout: .milliseconds(10))
        #expect(!hasEnded && !stubborn.isReady)
        let value = try await stubborn.get()
        #expect(value == 7)
        let again = try await stubborn.kill(timeout: .zero)
        #expect(again)
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func killAllNamesThoseThatLiveOn(_ isFromGreenlet: Bool) async throws {
        var ran = false
        let stubborn = Greenlet.spawn(name: "stubborn") { () throws -> Void in
            try withCancellationShield { try Greenlet.sleep(for: .milliseconds(60)) }
        }
        let meek = Greenlet.spawn { try Greenlet.sleep(for: .seconds(60)) }
        for _ in 0..<3 { await reactor.yield() }
        let later = Greenlet.spawn(after: .seconds(60)) { ran = true }
        let all = [stubborn, meek, later, Greenlet { ran = true }]
        let error = await #expect(throws: GreenletError.self) {
            if isFromGreenlet {
                try await Greenlet.spawn { try Greenlet.killAll(all, timeout: .milliseconds(10)) }.get()
            } else {
                try await Greenlet.killAll(all, timeout: .milliseconds(10))
            }
        }
        #expect(error?.code == .timedOut)
        #expect(error?.message.contains("1 of 4") == true && error?.message.contains("\"stubborn\"") == true)
        #expect(!ran && all.dropFirst().allSatisfy { $0.isReady })
        try await stubborn.join()
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func killerMayBeAmongTheKilled(_ isAsync: Bool) async throws {
        let victim = Greenlet.spawn { try Greenlet.sleep(for: .seconds(60)) }
        let killer =
            isAsync
            ? Greenlet.spawn { () async throws -> Void in
                try? await Greenlet.killAll([victim, AnyGreenlet.current!])  // set in a greenlet
                try await Greenlet.sleep(for: .seconds(60))
            }
            : Greenlet.spawn { () throws -> Void in
                try? Greenlet.killAll([victim, AnyGreenlet.current!])  // as above
                try Greenlet.sleep(for: .seconds(60))
            }
        try await Greenlet.joinAll([victim, killer])
        #expect(victim.isSuccessful && killer.isSuccessful)
    }
}
