import CFibers
import Glibc
import Greenlets
import ReactorTesting
import Testing

@testable import ReactorCore

/// Greenlets that wait for each other through libc's locks.
@Suite(.enabled(if: shimsThreads)) struct LockDeadlockTests {
    /// Runs `main` on a reactor of its own, on a thread of its own.
    private static func run(
        patience: Duration = .milliseconds(1),
        _ main: @escaping @Sendable @ReactorActor (Reactor) async throws -> Void
    ) async -> Result<Void, any Error> {
        let reactor = Reactor()
        return await withUnsafeContinuation { continuation in
            let thread = PosixThread {
                continuation.resume(
                    returning: Result {
                        try reactor.run(until: {
                            reactor.deadlockPatience = patience
                            try await main(reactor)
                        })
                    })
            }
            thread.detach()
        }
    }

    /// A lock that one greenlet at a time has.
    enum Lock: CaseIterable {
        case normal, recursive, errorcheck, adaptive, writer

        func make() -> any AnyLock {
            switch self {
            case .normal: Mutex(.normal)
            case .recursive: Mutex(.recursive)
            case .errorcheck: Mutex(.errorcheck)
            case .adaptive: Mutex(.adaptive)
            case .writer: ReadWriteLock()
            }
        }

        var kind: String { self == .writer ? "pthread read-write lock" : "pthread mutex" }
    }

    @Test(arguments: Lock.allCases)
    func locksTakenInOppositeOrderAreReportedWithTheirCycle(_ lock: Lock) async throws {
        let result = await Self.run(patience: .milliseconds(30)) { reactor in
            let (a, b) = (lock.make(), lock.make())
            let first = Greenlet.spawn(name: "first") {
                a.take()
                usleep(1000)
                b.take()
                b.give()
            }
            let second = Greenlet.spawn(name: "second") {
                b.take()
                usleep(1000)
                a.take()
                a.give()
                b.give()
            }
            do {
                try await first.join()
                Issue.record("there is no deadlock")
            } catch let error as DeadlockError {
                let names = error.cycles.map {
                    $0.map { $0.contains("\"first\"") ? "first" : "second" }.sorted()
                }
                #expect(names == [["first", "second"]], "\(error)")
                let waits = error.waits.filter { $0.what.contains(lock.kind) }
                #expect(waits.count == 2, "\(error)")
                for wait in waits {
                    let isFirst = wait.who.contains("\"first\"")
                    let wanted = isFirst ? b : a
                    let holder = isFirst ? "second" : "first"
                    #expect(wait.what == "\(lock.kind) 0x\(wanted.place) of greenlet \"\(holder)\"")
                    #expect(wait.holders.count == 1 && wait.holders[0].contains("\"\(holder)\""))
                }
                let dump = reactor.dump().description
                #expect(dump.contains("waits for \(lock.kind) 0x\(a.place) of greenlet \"first\""), "\(dump)")
            }
            // Given back off greenlets, in the place of the first: both go on.
            a.give()
            try await first.join()
            try await second.join()
        }
        try result.get()
    }

    @Test func lockOfAnotherThreadIsNoDeadlock() async throws {
        let result = await Self.run { reactor in
            let (mutex, held, go) = (Mutex(), Semaphore(), Semaphore())
            let thread = PosixThread {
                mutex.lock()
                held.post()
                _ = go.wait()
                usleep(200_000)
                mutex.unlock()
            }
            _ = held.wait()
            let channel = Channel<Int>()
            let reader = Greenlet.spawn { () throws -> Int in try channel.receive() }
            let waiters = (0..<2).map { _ in
                Greenlet.spawn {
                    mutex.lock()
                    mutex.unlock()
                }
            }
            await Greenlet.yield()
            go.post()
            for waiter in waiters { try await waiter.join() }
            channel.close()
            try await reader.join()
            thread.join()
        }
        try result.get()
    }

    @Test func lockWhoseHolderSleepsIsNoDeadlock() async throws {
        let result = await Self.run { _ in
            let mutex = Mutex()
            let holder = Greenlet.spawn {
                mutex.lock()
                usleep(100_000)
                mutex.unlock()
            }
            let waiters = (0..<2).map { _ in
                Greenlet.spawn {
                    mutex.lock()
                    mutex.unlock()
                }
            }
            for waiter in waiters { try await waiter.join() }
            try await holder.join()
        }
        try result.get()
    }

    enum Stale: CaseIterable { case givenBackOffGreenlets, holderHasEnded, takenOffGreenlets }

    @Test(arguments: Stale.allCases)
    func lockWhoseHolderIsNotCertainIsNoDeadlock(_ stale: Stale) async throws {
        let result = await Self.run { reactor in
            let mutex = Mutex()
            let (channel, never) = (Channel<Int>(), Channel<Int>())
            var others: [AnyGreenlet] = []
            switch stale {
            case .givenBackOffGreenlets:
                var isHeld = false
                others.append(
                    Greenlet.spawn { () throws -> Int in
                        mutex.lock()
                        isHeld = true
                        return try never.receive()
                    })
                while !isHeld { await Greenlet.yield() }
                mutex.unlock()
                mutex.lock()
            case .holderHasEnded: try await Greenlet.spawn { _ = mutex.lock() }.join()
            case .takenOffGreenlets: mutex.lock()
            }
            let waiter = Greenlet.spawn { () throws -> Void in
                mutex.lock()
                mutex.unlock()
                _ = try channel.trySend(1)
            }
            // Another thread, of which nobody here knows, lets it through.
            let releaser = PosixThread {
                usleep(200_000)
                reactor.callFromThread { mutex.unlock() }
            }
            let value = try await channel.receive()
            #expect(value == 1)
            try await waiter.join()
            never.close()
            for other in others { try await other.join() }
            releaser.join()
        }
        try result.get()
    }

    // MARK: Who holds what

    @Test func locksAreKnownInWhateverOrderTheyAreGivenBack() {
        let mutexes = (0..<3).map { _ in Mutex() }
        onFiber { _ in
            for mutex in mutexes { mutex.lock() }
            for mutex in mutexes { #expect(cf_fiber_holder(mutex.address) == cf_fiber_current()) }
            mutexes[1].unlock()
            #expect(cf_fiber_holder(mutexes[1].address) == nil)
            #expect(cf_fiber_holder(mutexes[2].address) == cf_fiber_current())
            mutexes[0].unlock()
            mutexes[2].unlock()
            #expect(mutexes.allSatisfy { cf_fiber_holder($0.address) == nil })
        }
    }

    @Test func recursiveMutexIsHeldUntilItsLastUnlock() {
        let mutex = Mutex(.recursive)
        onFiber { _ in
            mutex.lock()
            mutex.lock()
            mutex.unlock()
            #expect(cf_fiber_holder(mutex.address) == cf_fiber_current())
            mutex.unlock()
            #expect(cf_fiber_holder(mutex.address) == nil)
        }
    }

    @Test func moreLocksThanAreNotedAreNobodys() {
        let mutexes = (0...Int(CF_HOLDS)).map { _ in Mutex() }
        onFiber { _ in
            for mutex in mutexes { mutex.lock() }
            #expect(cf_fiber_holder(mutexes[0].address) == cf_fiber_current())
            #expect(cf_fiber_holder(mutexes[Int(CF_HOLDS)].address) == nil)
            for mutex in mutexes { #expect(mutex.unlock() == 0) }
        }
        #expect(mutexes.allSatisfy { cf_fiber_holder($0.address) == nil })
    }

    @Test func fiberThatEndsHoldsNothing() {
        let mutex = Mutex()
        onFiber { _ in mutex.lock() }
        #expect(cf_fiber_holder(mutex.address) == nil)
        mutex.unlock()
    }
}

/// What one greenlet at a time has.
protocol AnyLock: Sendable {
    func take()
    func give()
    /// Its address, in hexadecimal digits.
    var place: String { get }
}

extension PosixObject: AnyLock {
    func take() {
        switch self {
        case let mutex as Mutex: _ = mutex.lock()
        case let lock as ReadWriteLock: _ = lock.lockForWriting()
        default: break
        }
    }

    func give() {
        switch self {
        case let mutex as Mutex: _ = mutex.unlock()
        case let lock as ReadWriteLock: _ = lock.unlock()
        default: break
        }
    }

    var place: String { String(UInt(bitPattern: address), radix: 16) }
}
