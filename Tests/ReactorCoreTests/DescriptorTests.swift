import CLinux
import Glibc
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct DescriptorTests {
    @Test func readerWakesWhenBytesArrive() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            reactor.callLater(.milliseconds(1)) { pair.send() }
            try await reactor.waitUntilReadable(pair.a)
        }
    }

    @Test func waitEndsWithItsTimeoutAndLeavesNothing() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilReadable(pair.a, timeout: .milliseconds(2))
            }
            #expect(error?.code == .timedOut)
            #expect(reactor.watchedDescriptors.isEmpty)
            // The descriptor is free for the next wait.
            pair.send()
            try await reactor.waitUntilReadable(pair.a)
        }
    }

    @Test func cancellationEndsTheWait() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            let task = Task { @ReactorActor in try await reactor.waitUntilReadable(pair.a) }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test func secondWaiterOfOneDirectionGetsAClearError() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            let first = Task { @ReactorActor in try await reactor.waitUntilReadable(pair.a) }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilReadable(pair.a)
            }
            #expect(error?.code == .descriptorBusy)
            try await reactor.waitUntilWritable(pair.a)  // the other direction is free
            pair.send()
            try await first.value
        }
    }

    @Test func closingWakesTheWaiterAndTheNextOwnerIsNeverDisturbed() async throws {  // S66b
        try await withReactor { reactor in
            let old = Pair()
            let waiter = Task { @ReactorActor in try await reactor.waitUntilReadable(old.a) }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            let number = old.a
            let duplicate = dup(number)  // keeps the file, and so its registration, alive
            defer { close(duplicate) }
            reactor.descriptorWillClose(number)
            let fresh = Pair()
            #expect(dup2(fresh.a, number) == number)  // the number now means another file
            let next = Task { @ReactorActor in try await reactor.waitUntilReadable(number) }
            old.send()
            let error = await #expect(throws: ReactorError.self) { try await waiter.value }
            #expect(error?.code == .descriptorClosed)
            try await reactor.sleep(for: .milliseconds(5))
            #expect(reactor.watchedDescriptors == [number], "the old file's event did not wake the new owner")
            fresh.send()
            try await next.value
        }
    }

    @Test func numberReopenedBehindOurBackIsFollowed() async throws {
        try await withReactor { reactor in
            let old = Pair()
            old.send()
            try await reactor.waitUntilReadable(old.a)
            let fresh = Pair()
            #expect(dup2(fresh.a, old.a) == old.a)  // as PQconnectPoll does between two hosts
            reactor.callLater(.milliseconds(1)) { fresh.send() }
            try await reactor.waitUntilReadable(old.a, timeout: .seconds(60))
        }
    }

    @Test func regularFileIsAlwaysReady() async throws {
        try await withReactor { reactor in
            let file = open("/proc/self/exe", O_RDONLY)
            defer { close(file) }
            try await reactor.waitUntilReadable(file)
        }
    }

    @Test func callbackRunsUntilRemovedEvenFromInsideItself() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            var count = 0
            try reactor.addReader(pair.a) {
                count += 1
                if count == 3 { reactor.removeReader(pair.a) }
            }
            pair.send()
            let deadline = reactor.now.advanced(by: .seconds(60))
            while count < 3, reactor.now < deadline { try await reactor.sleep(for: .milliseconds(1)) }
            try await reactor.sleep(for: .milliseconds(5))
            #expect(count == 3, "level-triggered: called again while bytes are there")
        }
    }

    @Test func waitForEitherDirectionSaysWhich() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            let before = try await reactor.waitUntilReadableOrWritable(pair.a)
            #expect(before == .writable)
            pair.send()
            let after = try await reactor.waitUntilReadableOrWritable(pair.a)
            #expect(after == [.readable, .writable])
        }
    }

    @Test func hungUpPeerDoesNotSpinAnIdleRegistration() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            var count = 0
            try reactor.addReader(pair.a) {
                count += 1; reactor.removeReader(pair.a)
            }
            pair.closeFar()
            while count == 0 { try await reactor.sleep(for: .milliseconds(1)) }
            try await reactor.sleep(for: .milliseconds(5))
            #expect(count == 1)
        }
    }
}

// MARK: What must not spin, leak or mislead

extension DescriptorTests {
    /// Kernels report RDHUP and HUP for as long as they last: a watcher of writes must not be called awake
    /// for them.
    @Test(arguments: [false, true])
    func fullPipeToAHalfClosedPeerDoesNotSpin(_ usesCallback: Bool) async throws {
        let clock = CountingClock()
        try await withReactor(clock: clock) { reactor in
            let pair = Pair()
            pair.fill()
            var isWritable = false
            if usesCallback { try reactor.addWriter(pair.a) { isWritable = true } }
            let task = reactor.startTask {
                if !usesCallback { try? await reactor.waitUntilWritable(pair.a) }
            }
            pair.endFarWrites()
            try await reactor.sleep(for: .milliseconds(2))
            let before = clock.idleCount
            try await reactor.sleep(for: .milliseconds(20))
            #expect(clock.idleCount - before < 20)
            #expect(!isWritable)
            if usesCallback { reactor.removeWriter(pair.a) }
            task.cancel()
            await task.value
        }
    }

    @Test func waiterServedBesideACallbackLeavesNoSpin() async throws {
        let clock = CountingClock()
        try await withReactor(clock: clock) { reactor in
            let pair = Pair()
            try reactor.addReader(pair.a) {}
            try await reactor.waitUntilWritable(pair.a)
            let before = clock.idleCount
            try await reactor.sleep(for: .milliseconds(20))
            #expect(clock.idleCount - before < 20)
            reactor.removeReader(pair.a)
        }
    }

    @Test func waiterTimedOutBesideACallbackLeavesNoSpin() async throws {
        let clock = CountingClock()
        try await withReactor(clock: clock) { reactor in
            let pair = Pair()
            pair.fill()
            try reactor.addReader(pair.a) {}
            await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilWritable(pair.a, timeout: .milliseconds(1))
            }
            pair.drainFar()
            let before = clock.idleCount
            try await reactor.sleep(for: .milliseconds(20))
            #expect(clock.idleCount - before < 20)
            reactor.removeReader(pair.a)
        }
    }

    @Test func callbackGoesOnAfterAWaiterCameAndWent() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            var count = 0
            try reactor.addReader(pair.a) {
                count += 1
                pair.drain()
            }
            try await reactor.waitUntilWritable(pair.a)
            for round in 1...3 {
                pair.send()
                while count < round { try await reactor.sleep(for: .microseconds(100)) }
            }
            reactor.removeReader(pair.a)
            // And the other way round: the callback goes, the waiter stays.
            pair.fill()
            try reactor.addReader(pair.a) {}
            let writer = reactor.startTask { try? await reactor.waitUntilWritable(pair.a) }
            await reactor.yield()
            reactor.removeReader(pair.a)
            pair.drainFar()
            await writer.value
        }
    }

    @Test func readyDescriptorIsReadyEvenWithATimeoutOfZero() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            pair.send()
            try await reactor.waitUntilReadable(pair.a, timeout: .zero)
            pair.drain()
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilReadable(pair.a, timeout: .zero)
            }
            #expect(error?.code == .timedOut)
        }
    }

    @Test func waiterCancelledAfterItsNumberWasReopenedLeavesNothing() async throws {
        try await withReactor { reactor in
            let old = Pair()
            let reader = Task { @ReactorActor in try await reactor.waitUntilReadable(old.a) }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            let fresh = Pair()
            #expect(dup2(fresh.a, old.a) == old.a)
            try await reactor.waitUntilWritable(old.a)  // finds out that the number means a new file
            reader.cancel()
            await #expect(throws: CancellationError.self) { try await reader.value }
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test func numberBeyondAnyDescriptorIsClosedAndCostsNoMemory() async throws {
        try await withReactor { reactor in
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilReadable(.max)
            }
            #expect(error?.code == .descriptorClosed)
            #expect(throws: ReactorError.self) { try reactor.addWriter(.max) {} }
            reactor.removeReader(.max)
            reactor.descriptorWillClose(.max)
        }
    }

    /// The last reference to an object is often the one in its callback, and what it does at its end is to
    /// close its descriptor.
    @Test func objectReleasedWithItsCallbackMayUseTheReactor() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            try reactor.addReader(pair.a, Owner(of: pair.a, on: reactor).read)
            reactor.removeReader(pair.a)
            try reactor.addWriter(pair.a, Owner(of: pair.a, on: reactor).read)
            reactor.removeWriter(pair.a)
            try reactor.addReader(pair.a, Owner(of: pair.a, on: reactor).read)
            reactor.descriptorWillClose(pair.a)
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test func urgentByteIsNotReadable() async throws {
        try await withReactor { reactor in
            let pair = Pair(tcp: true)
            pair.sendUrgent()
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilReadable(pair.a, timeout: .milliseconds(5))
            }
            #expect(error?.code == .timedOut, "a read would block")
            pair.send()
            try await reactor.waitUntilReadable(pair.a)
        }
    }

    /// Numbers are closed and given out again as fast as the kernel can: each waiter hears of its own file
    /// only.
    @Test func stormOfReusedNumbersNeverMixesUpTheirOwners() async throws {
        try await withReactor { reactor in
            for round in 0..<500 {
                let pair = Pair()
                let other = Pair()
                let waiter = reactor.startTask { () -> ReactorError.Code? in
                    do { try await reactor.waitUntilReadable(pair.a) } catch {
                        return (error as? ReactorError)?.code
                    }
                    return nil
                }
                if round % 3 == 0 { await reactor.yield() }
                while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
                if round % 2 == 0 { pair.send() }  // its event may be on its way already
                reactor.descriptorWillClose(pair.a)
                #expect(dup2(other.a, pair.a) == pair.a)
                let next = reactor.startTask { try? await reactor.waitUntilReadable(pair.a) }
                let code = await waiter.value
                #expect(code == .descriptorClosed)
                for _ in 0..<3 { await reactor.yield() }
                #expect(reactor.watchedDescriptors == [pair.a])
                other.send()
                await next.value
                reactor.descriptorWillClose(pair.a)
            }
        }
    }
}

// MARK: Callbacks that throw, lists, random lives

extension DescriptorTests {
    @Test func callbackThatThrowsIsReportedWithItsSiteAndTakenOut() async throws {  // S36
        try await withReactor { reactor in
            var log: [String] = []
            let report = reactor.onUncaughtError
            reactor.onUncaughtError = { log.append("\($1): \($0)") }
            defer { reactor.onUncaughtError = report }
            let pair = Pair()
            pair.send()
            let line: UInt = #line + 1
            try reactor.addReader(pair.a) { throw Spam() }
            try reactor.addWriter(pair.a) { throw Spam() }
            while log.count < 2 { try await reactor.sleep(for: .milliseconds(1)) }
            let site = "callback of descriptor \(pair.a) added at ReactorCoreTests/DescriptorTests.swift"
            #expect(
                log == [
                    "the reader \(site):\(line): Spam()", "the writer \(site):\(line + 1): Spam()",
                ])
            #expect(reactor.watchedDescriptors.isEmpty)
            try await reactor.waitUntilReadable(pair.a)  // the descriptor is free, and open
        }
    }

    @Test func callbackThatThrowsAfterClosingLeavesTheNextOwnerAlone() async throws {
        try await withReactor { reactor in
            var log: [String] = []
            let report = reactor.onUncaughtError
            reactor.onUncaughtError = { error, _ in log.append("\(error)") }
            defer { reactor.onUncaughtError = report }
            let (old, fresh) = (Pair(), Pair())
            old.send()
            try reactor.addReader(old.a) {
                reactor.descriptorWillClose(old.a)
                dup2(fresh.a, old.a)
                try reactor.addReader(old.a) {
                    log.append("next owner"); fresh.drain()
                }
                throw Spam()
            }
            while log.isEmpty { await reactor.yield() }
            fresh.send()
            while log.count < 2 { await reactor.yield() }
            #expect(log == ["Spam()", "next owner"])
            reactor.removeReader(old.a)
        }
    }

    @Test func readersAndWritersAreListedAndRemovedTogether() async throws {
        try await withReactor { reactor in
            let (first, second, third) = (Pair(), Pair(), Pair())
            let signals = try reactor.signals(SIGURG)
            try reactor.addReader(first.a) {}
            try reactor.addReader(second.a) {}
            try reactor.addWriter(second.a) {}
            let waiter = reactor.startTask { try? await reactor.waitUntilReadable(third.a) }
            await reactor.yield()
            #expect(reactor.readers == [first.a, second.a].sorted())
            #expect(reactor.writers == [second.a])
            #expect(reactor.removeAll() == [first.a, second.a].sorted())
            #expect(reactor.readers == [] && reactor.writers == [] && reactor.removeAll() == [])
            // What was no callback of a user goes on: parked tasks, signals, foreign threads.
            third.send()
            await waiter.value
            pthread_kill(pthread_self(), SIGURG)
            var iterator = signals.makeAsyncIterator()
            let number = try await iterator.next()
            #expect(number == SIGURG)
            _ = try await reactor.threadPool.run { 1 }
        }
    }

    @Test func secondCallbackOfOneDirectionGetsAClearError() async throws {
        try await withReactor { reactor in
            let pair = Pair()
            try reactor.addReader(pair.a) {}
            let error = #expect(throws: ReactorError.self) { try reactor.addReader(pair.a) {} }
            #expect(error?.code == .descriptorBusy)
            #expect(error?.message.contains("descriptor \(pair.a) is already waited for to read") == true)
            try reactor.addWriter(pair.a) {}
            let second = #expect(throws: ReactorError.self) { try reactor.addWriter(pair.a) {} }
            #expect(second?.message.contains("to write") == true)
            reactor.removeReader(pair.a)
            reactor.removeWriter(pair.a)
        }
    }

    @Test func closingWakesWaitersOfBothDirectionsWithEBADF() async throws {  // S66b
        try await withReactor { reactor in
            let pair = Pair()
            pair.fill()
            let waits = [
                reactor.startTask { await errno { try await reactor.waitUntilReadable(pair.a) } },
                reactor.startTask { await errno { try await reactor.waitUntilWritable(pair.a) } },
            ]
            await reactor.yield()
            reactor.descriptorWillClose(pair.a)
            for wait in waits {
                let code = await wait.value
                #expect(code == EBADF)
            }
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    /// A few numbers are opened, duplicated over each other, closed, waited for and written to at random.
    /// Whoever waits is woken by bytes of the file its number meant, or told that it was closed; nobody is
    /// left behind.
    @Test(arguments: 0..<4)
    func randomLivesOfReusedNumbersNeverMixUpTheirOwners(_ round: Int) async throws {  // S66b
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor { reactor in
            let storm = Storm(reactor, seed: seed)
            for _ in 0..<3_000 { await storm.step() }
            await storm.end()
            #expect(storm.mistakes == [], "seed \(seed)")
            #expect(storm.servedCount > 50 && storm.closedCount > 50, "seed \(seed)")
        }
    }
}

private struct Spam: Error {}

/// The errno of the error that `body` throws.
@ReactorActor private func errno(_ body: @ReactorActor () async throws -> Void) async -> Int32? {
    do { try await body() } catch { return (error as? ReactorError)?.errno }
    return nil
}

/// Four numbers whose files change all the time, and a waiter for each now and then.
@ReactorActor private final class Storm {
    /// What a number means now.
    private final class Slot {
        let number: Int32
        var pair = Pair()
        /// Whether its file has bytes.
        var isReadable = false
        /// The number of the wait that is on.
        var wait: Int?
        init() { number = dup(pair.a) }
    }

    private(set) var mistakes: [String] = []
    private(set) var servedCount = 0
    private(set) var closedCount = 0
    private var slots: [Slot]
    private var ends: [Int: String] = [:]
    private var tasks: [Int: Task<Void, Never>] = [:]
    private var lastWait = 0
    /// Waits whose number got another file: they may end with an error.
    private var mayHaveClosed: Set<Int> = []
    /// Files that were under some number; kept open, so that the kernel goes on reporting them.
    private var old: [Pair] = []
    private var generator: SeededGenerator
    private let reactor: Reactor

    init(_ reactor: Reactor, seed: UInt64) {
        self.reactor = reactor
        generator = SeededGenerator(seed: seed)
        slots = (0..<4).map { _ in Slot() }
    }

    func step() async {
        let slot = slots.randomElement(using: &generator)!
        switch Int.random(in: 0..<8, using: &generator) {
        case 0, 1: startWait(slot)
        case 2:
            slot.pair.send()
            slot.isReadable = true
        case 3:
            slot.pair.drain()
            slot.isReadable = false
        case 4: reopen(slot)
        case 5: old.randomElement(using: &generator)?.send()
        case 6:
            // Bytes of an earlier file, whose event may be in the same batch as the change.
            let last = slot.pair
            reopen(slot)
            last.send()
        default: await turns(UInt64.random(in: 0..<3, using: &generator))
        }
        settle()
    }

    private func startWait(_ slot: Slot) {
        guard slot.wait == nil else { return }
        lastWait += 1
        let wait = lastWait
        slot.wait = wait
        tasks[wait] = reactor.startTask { [self] in
            do {
                try await reactor.waitUntilReadable(slot.number)
                ends[wait] = "ready"
            } catch { ends[wait] = (error as? ReactorError)?.code.description ?? "\(error)" }
        }
    }

    /// Gives the number another file, as an owner that says so does.
    private func reopen(_ slot: Slot) {
        reactor.descriptorWillClose(slot.number)
        let fresh = Pair()
        dup2(fresh.a, slot.number)
        old.append(slot.pair)
        if old.count > 20 { old.removeFirst() }
        slot.pair = fresh
        slot.isReadable = false
        if let wait = slot.wait { mayHaveClosed.insert(wait) }
    }

    /// Lets the loop find out, and compares.
    private func settle() {
        for slot in slots {
            guard let wait = slot.wait, let end = ends[wait] else { continue }
            slot.wait = nil
            switch end {
            case "ready": servedCount += 1
            case "descriptorClosed":
                closedCount += 1
                if !mayHaveClosed.contains(wait) { mistakes.append("wait \(wait) ended, and nobody closed") }
            default: mistakes.append("wait \(wait): \(end)")
            }
        }
    }

    /// Lets the loop ask the kernel; a yield alone goes round without that.
    private func turns(_ count: UInt64) async {
        let last = reactor.turnCount + count
        while reactor.turnCount <= last { try? await reactor.sleep(for: .nanoseconds(1)) }
    }

    /// After some turns, exactly those with bytes have been served.
    func end() async {
        for slot in slots {
            await turns(3)
            settle()
            if slot.wait != nil, slot.isReadable { mistakes.append("bytes for \(slot.number) woke nobody") }
            slot.pair.drain()
            for old in old { old.send() }
            startWait(slot)
            await turns(3)
            if let wait = slot.wait, ends[wait] == "ready" {
                mistakes.append("\(slot.number) was woken by another's")
            }
            slot.pair.send()
            if let wait = slot.wait { await tasks[wait]?.value }
            settle()
            reactor.descriptorWillClose(slot.number)
            close(slot.number)
        }
        for task in tasks.values { await task.value }
    }
}

/// Ends by closing its descriptor's business.
@ReactorActor private final class Owner {
    private let fd: Int32
    private let reactor: Reactor
    init(of fd: Int32, on reactor: Reactor) { (self.fd, self.reactor) = (fd, reactor) }
    func read() {}
    isolated deinit { reactor.descriptorWillClose(fd) }
}

/// The machine's clock, counting how often the loop had nothing to do: a spinning loop shows in it.
private final class CountingClock: ReactorClock {
    private let machine = MonotonicClock()
    private let count = Atomic<Int>(0)
    var idleCount: Int { count.load(ordering: .relaxed) }
    var now: ReactorInstant { machine.now }
    func idle(until deadline: ReactorInstant?) -> Duration? {
        count.add(1, ordering: .relaxed)
        return machine.idle(until: deadline)
    }
}

/// A connected pair of sockets, closed with the object.
private final class Pair: Sendable {
    let a: Int32
    private let b: Int32

    init(tcp: Bool = false) {
        var fds: [Int32] = [0, 0]
        if tcp {
            fds = Self.tcpPair()
        } else {
            precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &fds) == 0)
        }
        (a, b) = (fds[0], fds[1])
    }

    private static func tcpPair() -> [Int32] {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        precondition(listen(listener, 1) == 0)  // binds to a free port of every address
        var address = sockaddr()
        var length = socklen_t(MemoryLayout<sockaddr>.size)
        precondition(getsockname(listener, &address, &length) == 0)
        let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        precondition(connect(far, &address, length) == 0)
        return [accept(listener, nil, nil), far]
    }

    func send() { _ = write(b, "x", 1) }
    func sendUrgent() { _ = Glibc.send(b, "u", 1, Int32(MSG_OOB)) }
    func drain() { Self.drain(a) }
    func drainFar() { Self.drain(b) }
    private static func drain(_ fd: Int32) {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while recv(fd, &bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
    }
    /// Writes until the socket takes no more.
    func fill() {
        let bytes = [UInt8](repeating: 0, count: 65_536)
        while Glibc.send(a, bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
    }
    func endFarWrites() { shutdown(b, Int32(SHUT_WR)) }
    func closeFar() { shutdown(b, Int32(SHUT_RDWR)) }

    deinit {
        close(a)
        close(b)
    }
}
