import CLinux
import Glibc
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

/// One turn serves everybody, whatever one of them does.
@Suite(.everyBackend) struct TurnTests {
    /// What floods the loop while a timer and a descriptor want their turn.
    enum Flood: CaseIterable { case yields, longYields, calls, timers, sleeps, events }

    /// Four milliseconds and a few jobs are promised. The thread's own time counts, so that other load on the machine does
    /// not; what is beyond that is a debug build's. Unbounded, each of these takes for ever, or the ten seconds its flood
    /// would last.
    @Test(arguments: Flood.allCases)
    func floodHoldsUpNeitherTimersNorDescriptors(_ flood: Flood) async throws {
        try await withReactor { reactor in
            let flooding = try start(flood, on: reactor)
            // Timers that are due run in the order of their deadlines, so theirs is no flood to each other.
            let gauge = Gauge(reactor) { gauge in
                if gauge.eventCount >= 20, gauge.timerCount >= 5 || flood == .timers {
                    flooding.isOver = true
                }
            }
            try gauge.watch()
            while !flooding.isOver { await reactor.yield() }
            gauge.end()
            for fd in flooding.descriptors {
                reactor.removeReader(fd)
                close(fd)
            }
            while flooding.pending > 0 { await reactor.yield() }
            #expect(gauge.worstEvent < .milliseconds(500))
            #expect(gauge.worstTimer < .milliseconds(500) || flood == .timers)
        }
    }

    /// Many conversations, each of them always ready: the loop comes to all of them, or this does not end.
    @Test func manyConversationsAllGoOn() async throws {
        try await withReactor { reactor in
            let pairs = 240
            var isOver = false
            var behind = pairs
            var ends: [(Int32, Int32)] = []
            var talkers: [Task<Void, any Error>] = []
            for _ in 0..<pairs {
                var fds: [Int32] = [-1, -1]
                try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &fds) == 0)
                ends.append((fds[0], fds[1]))
                for fd in fds {
                    talkers.append(
                        talker(on: reactor) {
                            var byte: UInt8 = 1
                            var count = 0
                            while !isOver {
                                _ = send(fd, &byte, 1, 0)
                                try await reactor.waitUntilReadable(fd)
                                try #require(recv(fd, &byte, 1, 0) == 1)
                                count += 1
                                if count == 20, fd == fds[0] { behind -= 1 }
                                if behind == 0 { isOver = true }
                            }
                            // Whoever waits for this one need not.
                            _ = send(fd, &byte, 1, 0)
                        })
                }
            }
            for talker in talkers { try await talker.value }
            #expect(behind == 0)
            for (one, other) in ends {
                close(one)
                close(other)
            }
        }
    }

    /// Apart from the isolated code above, or the region checker does not understand it.
    private nonisolated func talker(
        on reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () async throws -> Void
    ) -> Task<Void, any Error> {
        Task(executorPreference: reactor, operation: body)
    }

    @ReactorActor private func start(_ flood: Flood, on reactor: Reactor) throws -> Flooding {
        let flooding = Flooding()
        switch flood {
        case .yields, .longYields:
            for _ in 0..<10 {
                flooding.pending += 1
                _ = reactor.startTask {
                    while !flooding.isOver {
                        if flood == .longYields { work(for: 100_000) }
                        await reactor.yield()
                    }
                    flooding.pending -= 1
                }
            }
        case .sleeps:
            for _ in 0..<100 {
                flooding.pending += 1
                _ = reactor.startTask {
                    while !flooding.isOver {
                        work(for: 100_000)
                        try? await reactor.sleep(for: .zero)
                    }
                    flooding.pending -= 1
                }
            }
        case .calls:
            for _ in 0..<100_000 {
                flooding.pending += 1
                reactor.callFromThread {
                    if !flooding.isOver { work(for: 100_000) }
                    flooding.pending -= 1
                }
            }
        case .timers:
            for _ in 0..<100_000 {
                flooding.pending += 1
                reactor.callLater(.zero) {
                    if !flooding.isOver { work(for: 100_000) }
                    flooding.pending -= 1
                }
            }
        case .events:
            for _ in 0..<20 {
                let fd = eventfd(1, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
                flooding.descriptors.append(fd)
                try reactor.addReader(fd) { work(for: 100_000) }  // always ready
            }
        }
        return flooding
    }

    @Test func everyEventOfALongBatchIsHandedOut() async throws {
        try await withReactor { reactor in
            let fds = (0..<300).map { _ in eventfd(1, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)) }
            var counts = [Int32: Int]()
            for fd in fds {
                try reactor.addReader(fd) {
                    counts[fd, default: 0] += 1
                    work(for: 50_000)
                    reactor.removeReader(fd)
                }
            }
            while counts.count < fds.count { await reactor.yield() }
            #expect(counts.values.allSatisfy { $0 == 1 })
            for fd in fds { close(fd) }
        }
    }

    @Test func millionReadyJobsDoNotGrowTheStack() async throws {
        try await withReactor(timeLimit: .seconds(600)) { reactor in
            let depth = StackDepth()
            var left = 1_000_000
            for _ in 0..<200_000 {
                reactor.callFromThread {
                    depth.look()
                    left -= 1
                }
            }
            for _ in 0..<1_000 {
                _ = reactor.startTask {
                    for _ in 0..<800 {
                        depth.look()
                        left -= 1
                        await reactor.yield()
                    }
                }
            }
            while left > 0 { await reactor.yield() }
            #expect(depth.bytes < 16_384)
        }
    }

    @Test func callFromThreadMadeByATimerRunsInTheNextTurn() async throws {  // S39
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var turns: [UInt64] = []
            reactor.callLater(.seconds(60)) { turns.append(0) }
            reactor.callLater(.zero) {
                turns.append(reactor.turnCount)
                reactor.callFromThread { turns.append(reactor.turnCount) }
            }
            while turns.count < 2 { await reactor.yield() }
            #expect(turns[1] == turns[0] + 1)
            clock.advance(by: .seconds(60))
            while reactor.delayedCallCount > 0 { await reactor.yield() }
        }
    }

    @Test func callFromThreadRunsOnTheReactorThread() async throws {  // S39
        try await withReactor { reactor in
            let tally = Tally()
            try reactor.callInThread {
                reactor.callFromThread { tally.count = reactor.isOnReactorThread ? 1 : -1 }
            }
            while tally.count == 0 { try await reactor.sleep(for: .milliseconds(1)) }
            #expect(tally.count == 1)
        }
    }

    @Test func hundredThousandQueuedCallsNeitherBlockNorGetLost() throws {  // S39
        let reactor = Reactor()
        let tally = Tally()
        for _ in 0..<100_000 { reactor.callFromThread { tally.count += 1 } }
        let count = try reactor.run(until: { tally.count })
        #expect(count == 100_000)
    }

    /// Neither pending timers nor watched descriptors nor parked tasks make it turn.
    @Test func idleLoopMakesNoTurnAndUsesNoTime() async throws {
        try await withReactor { reactor in
            let fd = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
            try reactor.addReader(fd) {}
            let timer = reactor.callLater(.seconds(3_600)) {}
            let parked = reactor.startTask { try? await reactor.sleep(for: .seconds(3_600)) }
            let signals = try reactor.signals(SIGURG)
            try await reactor.sleep(for: .milliseconds(1))  // the wake-up that started this is seen
            let (turns, time) = (reactor.turnCount, clinux_thread_cpu_ns())
            try await reactor.sleep(for: .milliseconds(300))
            #expect(reactor.turnCount - turns <= 2, "one to fall asleep, one that the timer ends")
            #expect(clinux_thread_cpu_ns() - time < 20_000_000)
            withExtendedLifetime(signals) {}
            parked.cancel()
            await parked.value
            timer.cancelIfActive()
            reactor.removeReader(fd)
            close(fd)
        }
    }
}

@ReactorActor private final class Flooding {
    var isOver = false
    var pending = 0
    var descriptors: [Int32] = []
}

@ReactorActor private final class Tally { var count = 0; nonisolated init() {} }

/// How much the thread does until a timer of two milliseconds runs, and until a written descriptor's reader does.
@ReactorActor private final class Gauge {
    private(set) var worstTimer = Duration.zero
    private(set) var worstEvent = Duration.zero
    private(set) var timerCount = 0
    private(set) var eventCount = 0
    private var written: Int64 = 0
    private var armed: Int64 = 0
    private var timer: DelayedCall?
    private let fd = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    private let reactor: Reactor

    private let onEvent: @ReactorActor (Gauge) -> Void

    init(_ reactor: Reactor, _ onEvent: @escaping @ReactorActor (Gauge) -> Void) {
        self.reactor = reactor
        self.onEvent = onEvent
    }

    func watch() throws {
        try reactor.addReader(fd) { [self] in
            var value: UInt64 = 0
            _ = read(fd, &value, 8)
            worstEvent = max(worstEvent, .nanoseconds(clinux_thread_cpu_ns() - written))
            eventCount += 1
            write()
            onEvent(self)
        }
        write()
        arm()
    }

    private func write() {
        written = clinux_thread_cpu_ns()
        eventfd_write(fd, 1)
    }

    private func arm() {
        armed = clinux_thread_cpu_ns()
        timer = reactor.callLater(.milliseconds(2)) { [self] in
            worstTimer = max(worstTimer, .nanoseconds(clinux_thread_cpu_ns() - armed))
            timerCount += 1
            arm()
        }
    }

    func end() {
        timer?.cancelIfActive()
        reactor.removeReader(fd)
        close(fd)
    }
}

/// How far apart the stacks of the jobs lie.
@ReactorActor private final class StackDepth {
    private var lowest = UInt.max
    private var highest = UInt.min
    var bytes: UInt { highest - lowest }

    func look() {
        let address = clinux_stack_address()
        lowest = min(lowest, address)
        highest = max(highest, address)
    }
}
