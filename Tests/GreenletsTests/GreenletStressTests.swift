import Glibc
import ReactorTesting
import Synchronization
import Testing

@testable import Greenlets
@testable import ReactorCore

/// Random interleavings. Whatever happens, every greenlet ends, with an end that its history allows, and
/// leaves nothing behind: `withReactor` fails for timers, watched descriptors and greenlets that are left. A
/// failure prints its seed.
@Suite struct GreenletStressTests {
    @Test(arguments: 0..<20)
    func randomLivesEndCleanly(_ round: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor { reactor in
            let world = World(reactor, seed: seed)
            for _ in 0..<60 { world.spawn(depth: 0) }
            while world.liveCount > 0 {
                world.disturb()
                await reactor.yield()
            }
            while world.killsUnderWay > 0 { await reactor.yield() }
            #expect(world.mistakes.isEmpty, "seed \(seed)")
            #expect(world.spawnCount >= 60, "seed \(seed)")
            world.close()
        }
    }

    /// Kills after every possible number of turns, in both kinds of body, at every kind of wait.
    @Test(arguments: [false, true])
    func killAtEverySuspensionPointLeavesNothing(_ isAsync: Bool) async throws {
        try await withReactor { reactor in
            let pair = Sockets()
            for killAfter in 0..<40 {
                var isPast = false
                let other = Greenlet.spawn { () async in _ = try? await Greenlet.sleep(for: .seconds(60)) }
                let deferred = Deferred<Int>()
                let greenlet =
                    isAsync
                    ? Greenlet.spawn { () async throws -> Void in
                        await Greenlet.yield()
                        try await reactor.waitUntilWritable(pair.a)
                        try await Greenlet.sleep(for: .zero)
                        _ = try await reactor.threadPool.run { 1 }
                        _ = try await Greenlet.spawn { () async in 1 }.get()
                        _ = try? await other.join(timeout: .zero)
                        try await reactor.waitUntilReadable(pair.a, timeout: .seconds(60))
                        _ = try await deferred.value
                        isPast = true
                    }
                    : Greenlet.spawn { () throws -> Void in
                        try Greenlet.yield()
                        try Greenlet.blockingCall { try await reactor.waitUntilWritable(pair.a) }
                        try Greenlet.sleep(for: .zero)
                        _ = try Greenlet.blockingCall { try await reactor.threadPool.run { 1 } }
                        _ = try Greenlet.spawn { () throws -> Int in 1 }.get()
                        _ = try? other.join(timeout: .zero)
                        try Greenlet.blockingCall {
                            try await reactor.waitUntilReadable(pair.a, timeout: .seconds(60))
                        }
                        _ = try waitForDeferred(deferred)
                        isPast = true
                    }
                for _ in 0..<killAfter { await reactor.yield() }
                try await greenlet.kill()
                #expect(greenlet.isSuccessful && !isPast, "killed after \(killAfter) turns")
                #expect(reactor.watchedDescriptors.isEmpty, "killed after \(killAfter) turns")
                deferred.addErrback { _ in 0 }
                try await other.kill()
            }
        }
    }
}

/// Greenlets that do random things to themselves and to each other.
@ReactorActor private final class World {
    let reactor: Reactor
    private let pool = ThreadPool(limit: 3)
    private var generator: SeededGenerator
    private var greenlets: [Greenlet<Int>] = []
    private let pairs = (0..<8).map { _ in Sockets() }
    private(set) var spawnCount = 0
    private(set) var liveCount = 0
    /// A call that comes when the reactor has stopped stays with it, and keeps it and whom it is about.
    private(set) var killsUnderWay = 0
    var mistakes: [String] = []

    init(_ reactor: Reactor, seed: UInt64) {
        self.reactor = reactor
        generator = SeededGenerator(seed: seed)
    }

    func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }

    /// What the life outside does: bytes arrive, greenlets are killed.
    func disturb() {
        switch pick(0..<6) {
        case 0: pairs.randomElement(using: &generator)?.send()
        case 1: greenlets.randomElement(using: &generator)?.cancel()
        case 2:
            guard let victim = greenlets.randomElement(using: &generator) else { return }
            let reactor = reactor
            let kill: @Sendable () -> Void = {
                reactor.callFromThread {
                    victim.cancel()
                    self.killsUnderWay -= 1
                }
            }
            if (try? pool.submit(kill)) != nil { killsUnderWay += 1 }
        default: break
        }
    }

    func spawn(depth: Int) {
        spawnCount += 1
        liveCount += 1
        let steps = (0..<pick(1..<8)).map { _ in (kind: pick(0..<9), number: pick(0..<64)) }
        let isAsync = pick(0..<2) == 0
        let greenlet =
            isAsync
            ? Greenlet.spawn { () async throws -> Int in
                for step in steps { try await self.perform(step.kind, step.number, depth) }
                return steps.count
            }
            : Greenlet.spawn { () throws -> Int in
                let guardValue = [depth, steps.count]
                for step in steps {
                    try Greenlet.blockingCall { try await self.perform(step.kind, step.number, depth) }
                    if guardValue != [depth, steps.count] { self.mistakes.append("a fiber lost its locals") }
                }
                return steps.count
            }
        greenlets.append(greenlet)
        greenlet.whenReady { result in
            self.liveCount -= 1
            switch result {
            case .success(let count): if count != steps.count { self.mistakes.append("wrong value") }
            case .failure(let error):
                if !(error is GreenletExit) { self.mistakes.append("\(error)") }
                if greenlet.killError == nil { self.mistakes.append("dead without a killer") }
            }
        }
    }

    /// One step of a life. Throws only when its greenlet is killed.
    private func perform(_ kind: Int, _ number: Int, _ depth: Int) async throws {
        switch kind {
        case 0: await reactor.yield()
        case 1: try await reactor.sleep(for: .microseconds(number * 20))
        case 2: if depth < 2 { spawn(depth: depth + 1) }
        case 3: greenlets[number % greenlets.count].cancel()
        case 4:
            let other = greenlets[number % greenlets.count]
            guard other !== AnyGreenlet.current else { return }
            _ = try await other.join(timeout: .microseconds(number * 10))
        case 5: try await waitFor(pairs[number % pairs.count].a)
        case 6: pairs[number % pairs.count].send()
        case 7:
            let value = try await pool.run { number }
            if value != number { mistakes.append("the pool mixed its values up") }
        default:
            let value = try await withDeadlineOrNil(.microseconds(number * 5))
            if let value, value != 5 { mistakes.append("wrong value of a deadline's body") }
        }
    }

    private func waitFor(_ fd: Int32) async throws {
        do { try await reactor.waitUntilReadable(fd, timeout: .milliseconds(1)) } catch let error
            as ReactorError
        {
            if error.code != .timedOut, error.code != .descriptorBusy { mistakes.append("\(error)") }
        }
    }

    private func withDeadlineOrNil(_ limit: Duration) async throws -> Int? {
        let reactor = reactor
        do {
            return try await reactor.withDeadline(after: limit, ReactorError(.timedOut, "over")) {
                try await reactor.sleep(for: .microseconds(100))
                return 5
            }
        } catch let error as ReactorError where error.code == .timedOut { return nil }
    }

    func close() { greenlets = [] }
}

/// A connected pair of sockets, closed with the object.
private final class Sockets: Sendable {
    let a: Int32
    private let b: Int32

    init() {
        var fds: [Int32] = [0, 0]
        precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &fds) == 0)
        (a, b) = (fds[0], fds[1])
    }

    func send() { _ = Glibc.send(b, "x", 1, Int32(MSG_DONTWAIT)) }

    deinit {
        Glibc.close(a)
        Glibc.close(b)
    }
}
