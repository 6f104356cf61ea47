import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

/// Random interleavings of start, kill, join and link. Whatever happens: every greenlet ends once, every link that nobody
/// took back runs once and no other does, the registry is empty at the end and every stack is back. A failure prints its
/// seed.
@Suite struct GreenletLivesStressTests {
    @Test(arguments: 0..<20)
    func linksFireOnceWhateverHappens(_ round: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let world = Lives(reactor, seed: seed)
            for _ in 0..<400 {
                world.disturb()
                if world.pick(0..<4) == 0 { await reactor.yield() }
            }
            try await world.end()
            #expect(world.mistakes.isEmpty, "seed \(seed): \(world.mistakes)")
            let registry = GreenletRegistry.of(reactor)
            #expect(registry.greenlets.isEmpty && registry.spawnObservers == nil, "seed \(seed)")
            let stackCount = registry.stacks.count + registry.restingDrivers.count
            #expect(stackCount >= world.peakFiberCount && world.peakFiberCount > 0, "seed \(seed)")
        }
    }

    /// Scopes in scopes, whose members fail, are killed and time out at random: none is left before its greenlets.
    @Test(arguments: 0..<20)
    func scopesAreNeverLeftEarly(_ round: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let world = Scopes(seed: seed)
            for _ in 0..<30 {
                let root = world.spawnRoot()
                if world.pick(0..<3) == 0 {
                    for _ in 0..<world.pick(0..<20) { await reactor.yield() }
                    root.cancel()
                }
                try await root.join()
                #expect(world.liveCount == 0, "seed \(seed)")
            }
            #expect(world.mistakes.isEmpty, "seed \(seed): \(world.mistakes)")
            #expect(world.scopeCount >= 30)
        }
    }
}

@ReactorActor private final class Lives {
    private struct Lost: Error {}

    /// What is known of one link.
    private final class Expectation {
        let link: ReadinessLink
        var runs = 0
        var isTakenBack = false
        init(_ link: ReadinessLink) { self.link = link }
    }

    private let reactor: Reactor
    private var generator: SeededGenerator
    private var greenlets: [Greenlet<Int>] = []
    private var expectations: [Expectation] = []
    private var observer: SpawnObserver?
    private var observed: Set<Int> = []
    private var begunIDs: Set<Int> = []
    private var endCounts: [Int: Int] = [:]
    private var fiberCount = 0
    private(set) var peakFiberCount = 0
    var mistakes: [String] = []

    init(_ reactor: Reactor, seed: UInt64) {
        self.reactor = reactor
        generator = SeededGenerator(seed: seed)
        reactor.onUncaughtError = { _, _ in }  // of greenlets that fail unheard, as some do
        observer = Greenlet.addSpawnObserver { [weak self] in self?.observed.insert($0.id) }
    }

    func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }

    private var any: Greenlet<Int>? { greenlets.randomElement(using: &generator) }

    func disturb() {
        switch pick(0..<12) {
        case 0...2: make()
        case 3: any?.start()
        case 4: any?.start(after: .milliseconds(pick(0..<5)))
        case 5: any?.cancel()
        case 6: any?.cancel(throwing: Lost())
        case 7...9: if let greenlet = any { link(greenlet) }
        case 10:
            guard let expectation = expectations.randomElement(using: &generator) else { return }
            // Too late for one that has begun.
            if expectation.runs == 0 { expectation.isTakenBack = true }
            expectation.link.cancel()
        default: wait()
        }
    }

    private func make() {
        let steps = (0..<pick(0..<5)).map { _ in (kind: pick(0..<5), number: pick(0..<100)) }
        let isFailing = pick(0..<4) == 0
        let greenlet =
            pick(0..<2) == 0
            ? Greenlet { () async throws -> Int in
                self.begin()
                for step in steps { try await self.perform(step.kind, step.number) }
                if isFailing { throw Lost() }
                return steps.count
            }
            : Greenlet { () throws -> Int in
                self.begin()
                self.fiberCount += 1
                self.peakFiberCount = max(self.peakFiberCount, self.fiberCount)
                defer { self.fiberCount -= 1 }
                for step in steps { try self.perform(step.kind, step.number) }
                if isFailing { throw Lost() }
                return steps.count
            }
        greenlets.append(greenlet)
        greenlet.onReady { self.endCounts[greenlet.id, default: 0] += 1 }
        if pick(0..<3) > 0 { greenlet.start() }
    }

    private func begin() {
        let id = AnyGreenlet.current?.id ?? 0
        if !begunIDs.insert(id).inserted { mistakes.append("greenlet \(id) begins twice") }
    }

    private func perform(_ kind: Int, _ number: Int) async throws {
        switch kind {
        case 0: await Greenlet.yield()
        case 1: try await Greenlet.sleep(for: .milliseconds(number % 4))
        case 2: link(greenlets[number % greenlets.count])
        case 3: greenlets[number % greenlets.count].cancel()
        default:
            let other = greenlets[number % greenlets.count]
            guard other !== AnyGreenlet.current else { return }
            try await other.join(timeout: .milliseconds(number % 3))
        }
    }

    private func perform(_ kind: Int, _ number: Int) throws {
        switch kind {
        case 0: try Greenlet.yield()
        case 1: try Greenlet.sleep(for: .milliseconds(number % 4))
        case 2: link(greenlets[number % greenlets.count])
        case 3: greenlets[number % greenlets.count].cancel()
        default:
            let others = greenlets.suffix(number % 4).filter { $0 !== AnyGreenlet.current }
            let done = try Greenlet.joinAll(others, timeout: .milliseconds(number % 3), count: 2)
            if done.count > 2 || done.contains(where: { !$0.isReady }) { mistakes.append("wrong joinAll") }
        }
    }

    private func link(_ greenlet: Greenlet<Int>) {
        let place = Place()
        let run: @ReactorActor (Greenlet<Int>) throws -> Void = { other in
            guard let expectation = place.expectation else {
                return self.mistakes.append("a link runs at once")
            }
            expectation.runs += 1
            if other !== greenlet || !greenlet.isReady {
                self.mistakes.append("a link with the wrong greenlet")
            }
            if expectation.isTakenBack { self.mistakes.append("a link that was taken back runs") }
            try Greenlet.yield()
        }
        let expectation = Expectation(greenlet.onCompletion(run))
        place.expectation = expectation
        expectations.append(expectation)
    }

    @ReactorActor private final class Place { var expectation: Expectation? }

    /// Somebody waits for some of them, for a while.
    private func wait() {
        let some = (0..<pick(1..<5)).compactMap { _ in any }
        let count = pick(1..<4)
        let time = Duration.milliseconds(pick(0..<4))
        Greenlet.spawnDetached { () async throws -> Void in
            let done = try await Greenlet.wait(for: some, timeout: time, count: count)
            if done.count > count || done.contains(where: { !$0.isReady }) {
                self.mistakes.append("wrong wait")
            }
        }
    }

    func end() async throws {
        try await Greenlet.killAll(greenlets)
        // Sleepers and waiters that are no greenlets of ours, and links' greenlets.
        while !GreenletRegistry.of(reactor).greenlets.isEmpty {
            try await reactor.sleep(for: .milliseconds(1))
        }
        observer?.cancel()
        for greenlet in greenlets {
            if !greenlet.isReady || greenlet.isRunning { mistakes.append("\(greenlet.name) lives on") }
            if endCounts[greenlet.id] != 1 { mistakes.append("\(greenlet.name) ended other than once") }
            if greenlet.isStarted != begunIDs.contains(greenlet.id) { mistakes.append("isStarted is wrong") }
            if greenlet.isStarted, !observed.contains(greenlet.id) {
                mistakes.append("a start is unobserved")
            }
        }
        for expectation in expectations where expectation.runs != (expectation.isTakenBack ? 0 : 1) {
            mistakes.append("a link ran \(expectation.runs) times, taken back: \(expectation.isTakenBack)")
        }
        greenlets = []
        expectations = []
    }
}

@ReactorActor private final class Scopes {
    private struct Lost: Error {}

    private var generator: SeededGenerator
    /// How many greenlets of scopes run.
    private(set) var liveCount = 0
    private(set) var scopeCount = 0
    var mistakes: [String] = []

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }

    func spawnRoot() -> AnyGreenlet {
        pick(0..<2) == 0
            ? Greenlet.spawn { () async throws -> Void in await self.openAsync(depth: 0) }
            : Greenlet.spawn { () throws -> Void in self.open(depth: 0) }
    }

    private func openAsync(depth: Int) async {
        scopeCount += 1
        var members: [AnyGreenlet] = []
        let limit = Duration.milliseconds(pick(1..<12))
        do {
            try await withTimeout(limit) {
                try await withGreenlets { scope in
                    for _ in 0..<self.pick(0..<4) {
                        members.append(try self.spawnMember(scope, depth))
                        if self.pick(0..<2) == 0 { await Greenlet.yield() }
                    }
                    if self.pick(0..<3) == 0 {
                        try await Greenlet.sleep(for: .milliseconds(self.pick(0..<6)))
                    }
                    if self.pick(0..<6) == 0 { throw Lost() }
                    if self.pick(0..<6) == 0 { scope.cancel() }
                }
            }
        } catch { check(error) }
        if !members.allSatisfy({ $0.isReady }) { mistakes.append("a scope was left early") }
    }

    private func open(depth: Int) {
        scopeCount += 1
        var members: [AnyGreenlet] = []
        let limit = Duration.milliseconds(pick(1..<12))
        do {
            try withTimeout(limit) {
                try withGreenlets { scope in
                    for _ in 0..<self.pick(0..<4) {
                        members.append(try self.spawnMember(scope, depth))
                        if self.pick(0..<2) == 0 { try Greenlet.yield() }
                    }
                    if self.pick(0..<3) == 0 { try Greenlet.sleep(for: .milliseconds(self.pick(0..<6))) }
                    if self.pick(0..<6) == 0 { throw Lost() }
                    if self.pick(0..<6) == 0 { scope.cancel() }
                }
            }
        } catch { check(error) }
        if !members.allSatisfy({ $0.isReady }) { mistakes.append("a scope was left early") }
    }

    private func spawnMember(_ scope: GreenletScope, _ depth: Int) throws -> AnyGreenlet {
        let kind = pick(0..<6)
        let time = Duration.milliseconds(pick(0..<8))
        if pick(0..<2) == 0 {
            return try scope.spawn { () async throws -> Void in
                self.liveCount += 1
                defer { self.liveCount -= 1 }
                if kind < 2, depth < 2 { await self.openAsync(depth: depth + 1) }
                try await Greenlet.sleep(for: time)
                if kind == 3 { throw Lost() }
                if kind == 4 { AnyGreenlet.current?.cancel() }
            }
        }
        return try scope.spawn { () throws -> Void in
            self.liveCount += 1
            defer { self.liveCount -= 1 }
            if kind < 2, depth < 2 { self.open(depth: depth + 1) }
            try Greenlet.sleep(for: time)
            if kind == 3 { throw Lost() }
            if kind == 4 { AnyGreenlet.current?.cancel() }
        }
    }

    /// What a scope may throw: its members' error, several, a kill or a time-out.
    private func check(_ error: any Error) {
        switch error {
        case is Lost, is CancellationError, is GreenletExit: break
        case let error as TimeoutError: if let inner = error.underlying { check(inner) }
        case let error as GreenletScopeError:
            if error.errors.count < 2 { mistakes.append("a group of \(error.errors.count)") }
            error.errors.forEach(check)
        case let error as GreenletError where error.code == .scopeClosed: mistakes.append("\(error)")
        default: mistakes.append("\(error)")
        }
    }
}
