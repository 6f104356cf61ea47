import Glibc
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

/// What must not spin, leak or mislead.
@Suite(.everyBackend) struct DescriptorSpinTests {
    /// Kernels report RDHUP and HUP for as long as they last: a watcher of writes must not be called awake
    /// for them.
    @Test(arguments: [false, true])
    func fullPipeToAHalfClosedPeerDoesNotSpin(_ usesCallback: Bool) async throws {
        let clock = CountingClock()
        try await withReactor(clock: clock) { reactor in
            let pair = SocketPair()
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
            let pair = SocketPair()
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
            let pair = SocketPair()
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
            let pair = SocketPair()
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
            let pair = SocketPair()
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
            let (old, fresh) = (SocketPair(), SocketPair())
            let reader = Task { @ReactorActor in try await reactor.waitUntilReadable(old.a) }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            await elsewhere { _ = dup2(fresh.a, old.a) }  // another thread's, so that the reactor cannot know
            reader.cancel()
            await #expect(throws: CancellationError.self) { try await reader.value }
            #expect(reactor.watchedDescriptors.isEmpty)
            try await reactor.waitUntilWritable(old.a)
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
            let pair = SocketPair()
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
            let pair = SocketPair(tcp: true)
            pair.sendUrgent()
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilReadable(pair.a, timeout: .milliseconds(5))
            }
            #expect(error?.code == .timedOut, "a read would block")
            pair.send()
            try await reactor.waitUntilReadable(pair.a)
        }
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
