import CLinux
import Glibc
import ReactorCore
import ReactorTesting
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
    @Test func workRunsElsewhereAndItsValueComesHome() async throws {
        try await withReactor { reactor in
            let wasHome = try await reactor.threadPool.run { reactor.isOnReactorThread }
            #expect(!wasHome && reactor.isOnReactorThread)
        }
    }

    @Test func errorOfTheWorkIsThrown() async throws {  // S40
        struct Spam: Error {}
        try await withReactor { reactor in
            await #expect(throws: Spam.self) { try await reactor.threadPool.run { throw Spam() } }
            let value = try await reactor.deferToThread { 3 + 4 }.value
            #expect(value == 7)
        }
    }

    @Test func poolStartsEmptyGrowsToItsLimitAndShrinks() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 3, idleTimeout: .milliseconds(20))
            #expect(pool.threadCount == 0)
            let gate = Gate()
            let tasks = (0..<6).map { _ in Task { @ReactorActor in try await pool.run { gate.wait() } } }
            while pool.threadCount < 3 || pool.queuedCount < 3 { await reactor.yield() }
            #expect(pool.threadCount == 3)
            gate.open()
            for task in tasks { try await task.value }
            while pool.threadCount > 0 { try await reactor.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func workCancelledInTheQueueNeverRuns() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 1)
            let gate = Gate()
            let first = Task { @ReactorActor in try await pool.run { gate.wait() } }
            while pool.threadCount == 0 { await reactor.yield() }
            let ran = Flag()
            let second = Task { @ReactorActor in try await pool.run { ran.set() } }
            while pool.queuedCount == 0 { await reactor.yield() }
            second.cancel()
            await #expect(throws: CancellationError.self) { try await second.value }
            gate.open()
            try await first.value
            try await pool.run {}
            #expect(!ran.isSet)
        }
    }

    @Test func stoppedPoolRefusesWork() async throws {
        try await withReactor { _ in
            let pool = ThreadPool(limit: 1)
            pool.stop()
            let error = await #expect(throws: ReactorError.self) { try await pool.run {} }
            #expect(error?.code == .threadPoolStopped)
        }
    }
}

private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

/// Holds worker threads until it is opened.
private final class Gate: Sendable {
    private let isOpen = Flag()
    func open() { isOpen.set() }
    func wait() { while !isOpen.isSet { usleep(500) } }  // a worker's thread: blocking is the point
}
