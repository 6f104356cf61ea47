import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

/// Each test runs in both forms: called from `async` code, and from a greenlet's synchronous code.
@Suite struct GreenletWaitForTests {
    struct Lost: Error, Equatable { let name: String }

    @ReactorActor private func sleepers(_ milliseconds: [Int]) -> [Greenlet<Int>] {
        milliseconds.map { time in
            Greenlet.spawn { () throws -> Int in
                try Greenlet.sleep(for: .milliseconds(time))
                return time
            }
        }
    }

    @ReactorActor private func joinAll(
        _ greenlets: [Greenlet<Int>], _ isFromGreenlet: Bool, timeout: Duration? = nil,
        throwingErrors: Bool = false, count: Int? = nil
    ) async throws -> [Int] {
        let done =
            isFromGreenlet
            ? try await Greenlet.spawn {
                try Greenlet.joinAll(
                    greenlets, timeout: timeout, throwingErrors: throwingErrors, count: count)
            }.get()
            : try await Greenlet.joinAll(
                greenlets, timeout: timeout, throwingErrors: throwingErrors, count: count)
        return done.compactMap { try? $0.result?.get() }
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func joinAllReturnsThemInTheOrderTheyEnded(_ isFromGreenlet: Bool) async throws {
        let order = try await joinAll(sleepers([30, 10, 20]), isFromGreenlet)
        #expect(order == [10, 20, 30])
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func joinAllReturnsAShortListWhenTheTimeIsOver(_ isFromGreenlet: Bool) async throws {
        let greenlets = sleepers([30, 10, 2000])
        let order = try await joinAll(greenlets, isFromGreenlet, timeout: .milliseconds(500))
        #expect(order == [10, 30])
        #expect(!greenlets[2].isReady)
        let none = try await joinAll([greenlets[2]], isFromGreenlet, timeout: .zero)
        #expect(none == [])
        try await Greenlet.killAll(greenlets)
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func joinAllReturnsAsSoonAsEnoughHaveEnded(_ isFromGreenlet: Bool) async throws {
        let greenlets = sleepers([30, 10, 20])
        let order = try await joinAll(greenlets, isFromGreenlet, count: 2)
        #expect(order == [10, 20])
        let more = try await joinAll(greenlets, isFromGreenlet, count: 9)
        #expect(more == [10, 20, 30] || more == [30, 10, 20])
        let nothing = try await joinAll([], isFromGreenlet)
        #expect(nothing == [])
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func joinAllThrowsTheEarliestErrorAtOnce(_ isFromGreenlet: Bool) async throws {  // S54
        @ReactorActor func failing(_ name: String, _ seconds: Int) -> Greenlet<Int> {
            Greenlet.spawn { () throws -> Int in
                try Greenlet.sleep(for: .seconds(seconds))
                throw Lost(name: name)
            }
        }
        let reports = Reports(reactor)
        let greenlets = [failing("first", 2), failing("second", 1), sleepers([60_000])[0]]
        let start = reactor.now
        let error = await #expect(throws: Lost.self) {
            try await joinAll(greenlets, isFromGreenlet, throwingErrors: true)
        }
        #expect(error == Lost(name: "second"))
        #expect(start.duration(to: reactor.now) < .seconds(2))
        #expect(!greenlets[0].isReady && !greenlets[2].isReady)
        try await reactor.sleep(for: .seconds(2))
        #expect(reports.errors == ["Lost(name: \"first\")"])  // nobody waited for it any more
        let order = try await joinAll(Array(greenlets.dropLast()), isFromGreenlet)
        #expect(order == [])
        try await greenlets[2].kill()
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func killedByExitIsNoErrorToJoinAll(_ isFromGreenlet: Bool) async throws {
        let greenlets = sleepers([60_000, 1])
        greenlets[0].cancel()
        let values = try await joinAll(greenlets, isFromGreenlet, throwingErrors: true)
        #expect(values == [1])
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func waitTakesAnythingThatIsWaitable(_ isFromGreenlet: Bool) async throws {
        let flag = Flag()
        let greenlet = sleepers([20])[0]
        reactor.callLater(.milliseconds(10)) { flag.raise() }
        let objects: [any Waitable] = [greenlet, flag]
        let done =
            isFromGreenlet
            ? try await Greenlet.spawn { try Greenlet.wait(for: objects) }.get()
            : try await Greenlet.wait(for: objects)
        #expect(done.count == 2 && done[0] === flag && done[1] === greenlet)
        let one =
            isFromGreenlet
            ? try await Greenlet.spawn { try Greenlet.wait(for: objects, timeout: .zero, count: 1) }.get()
            : try await Greenlet.wait(for: objects, timeout: .zero, count: 1)
        #expect(one.count == 1 && one[0] === greenlet)
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func eventsAndResultsCanBeWaitedForTogether(_ isFromGreenlet: Bool) async throws {
        let event = Event()
        let result = AsyncResult<Int>()
        let greenlet = Greenlet.spawn { 7 }
        let objects: [any Waitable] = [event, result, greenlet]
        let waiter =
            isFromGreenlet
            ? Greenlet.spawn { () throws -> [any Waitable] in try Greenlet.wait(for: objects) }
            : Greenlet.spawn { () async throws -> [any Waitable] in try await Greenlet.wait(for: objects) }
        try await Greenlet.waitUntilIdle()
        try result.set(8)
        try await Greenlet.waitUntilIdle()
        event.set()
        event.clear()
        let done = try await waiter.get()
        #expect(done.map(ObjectIdentifier.init) == [greenlet, result, event].map(ObjectIdentifier.init))
        let rest = try await Greenlet.wait(for: objects, timeout: .zero)
        #expect(rest.count == 2)  // the event is clear again
        let followed = AsyncResult(of: Greenlet.spawn { 9 })
        let one = try await Greenlet.wait(for: [event, followed], count: 1)
        #expect(one.first === followed && followed.value == 9)
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)))
    @ReactorActor func completionsComeAsTheyEnd() async throws {
        var seen: [Int] = []
        for try await greenlet in Greenlet.completions(of: sleepers([30, 10, 20])) {
            seen.append(try await greenlet.get())
        }
        #expect(seen == [10, 20, 30])
        let synchronous = Greenlet.spawn { () throws -> [Int] in
            var seen: [Int] = []
            let completions = Greenlet.completions(of: self.sleepers([30, 10, 20]))
            while let greenlet = try completions.next() { seen.append(try greenlet.get()) }
            return seen
        }
        let others = try await synchronous.get()
        #expect(others == [10, 20, 30])
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)))
    @ReactorActor func leavingTheLoopTakesTheLinksBack() async throws {
        let flags = [Flag(), Flag(), Flag()]
        flags[1].raise()
        for try await flag in Greenlet.completions(of: flags as [any Waitable]) {
            #expect(flag === flags[1])
            #expect(flags.map(\.links.count) == [1, 0, 1])
            break
        }
        #expect(flags.map(\.links.count) == [0, 0, 0])
    }

    @Test(.onReactor)
    @ReactorActor func cancelledWaitTakesItsLinksBack() async throws {
        let flag = Flag()
        let greenlet = Greenlet.spawn { () async throws -> Void in
            _ = try await Greenlet.wait(for: [flag])
        }
        let synchronous = Greenlet.spawn { () throws -> Void in _ = try Greenlet.wait(for: [flag]) }
        for _ in 0..<3 { await reactor.yield() }
        #expect(flag.links.count == 2)
        try await Greenlet.killAll([greenlet, synchronous])
        #expect(flag.links.count == 0)
    }

    @Test(.onReactor)
    @ReactorActor func severalIteratorsShareWhatComesAndAllEnd() async throws {
        let flags = (0..<4).map { _ in Flag() }
        let completions = Greenlet.completions(of: flags as [any Waitable])
        var taken = 0
        let takers = (0..<3).map { _ in
            Greenlet.spawn { () throws -> Void in while try completions.next() != nil { taken += 1 } }
        }
        for _ in 0..<3 { await reactor.yield() }
        for flag in flags { flag.raise() }
        try await Greenlet.joinAll(takers, throwingErrors: true)
        #expect(taken == 4 && completions.remainingCount == 0)
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func waitForAllWaitsForThoseSpawnedMeanwhileToo(_ isFromGreenlet: Bool) async throws {
        let reports = Reports(reactor)
        var ended: [Int] = []
        @ReactorActor func spawn(_ number: Int) {
            Greenlet.spawnDetached { () throws -> Void in
                try Greenlet.sleep(for: .seconds(1))
                if number < 3 { spawn(number + 1) }
                ended.append(number)
                if number == 2 { throw Lost(name: "two") }
            }
        }
        spawn(1)
        @ReactorActor func waitForAll(_ timeout: Duration?) async throws -> Bool {
            isFromGreenlet
                ? try await Greenlet.spawn { try Greenlet.waitForAll(timeout: timeout) }.get()
                : try await Greenlet.waitForAll(timeout: timeout)
        }
        let isOver = try await waitForAll(.milliseconds(1500))
        #expect(!isOver && ended == [1])
        let haveEnded = try await waitForAll(nil)
        #expect(haveEnded && ended == [1, 2, 3])
        #expect(reports.errors == ["Lost(name: \"two\")"])
        let again = try await waitForAll(.zero)
        #expect(again)
    }

    @Test(.onReactor)
    @ReactorActor func currentIsTheGreenletItself() async throws {
        let greenlet = Greenlet.spawn { Greenlet.current.map(ObjectIdentifier.init) }
        let id = try await greenlet.get()
        #expect(id == ObjectIdentifier(greenlet) && Greenlet.current == nil)
    }

    @Test func waitingForManyOutsideAGreenletIsAClearError() async throws {
        #expect { try Greenlet.wait(for: []) } throws: { ($0 as? GreenletError)?.code == .notInGreenlet }
        #expect { try Greenlet.joinAll([] as [AnyGreenlet]) } throws: {
            ($0 as? GreenletError)?.code == .notInGreenlet
        }
    }
}

/// The least that can be waited for.
@ReactorActor final class Flag: Waitable {
    let links = ReadinessLinks()
    private(set) var isReady = false

    func raise() {
        isReady = true
        links.fire()
    }

    func onReady(_ action: @escaping @ReactorActor () -> Void) -> ReadinessLink {
        links.add(isReady: isReady, action)
    }
}

/// Hears what nobody else does.
@ReactorActor final class Reports {
    private(set) var errors: [String] = []
    init(_ reactor: Reactor) {
        reactor.onUncaughtError = { [weak self] error, _ in self?.errors.append("\(error)") }
    }
}
