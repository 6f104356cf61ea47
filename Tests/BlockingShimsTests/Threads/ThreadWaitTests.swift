import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

/// What all waits for threads have in common, with a thread that holds what is wanted until it is told.
@Suite(.enabled(if: BlockingShimsList.contains("pthread_join"))) struct ThreadWaitTests {
    enum Wait: CaseIterable, Sendable {
        case mutex, recursiveMutex, reader, writer, condition, semaphore, join
    }

    /// A wait that a thread of its own lets through.
    private final class Held: Sendable {
        private let wait: Wait
        private let mutex: Mutex
        private let lock = ReadWriteLock()
        private let condition = Condition()
        private let semaphore = Semaphore()
        private let isHeld = Semaphore()
        private let go = Semaphore()
        private let thread: PosixThread

        init(_ wait: Wait) {
            self.wait = wait
            let mutex = Mutex(wait == .recursiveMutex ? .recursive : .normal)
            self.mutex = mutex
            thread = PosixThread { [lock, condition, semaphore, isHeld, go] in
                switch wait {
                case .mutex, .recursiveMutex: mutex.lock()
                case .reader, .writer: lock.lockForWriting()
                default: break
                }
                isHeld.post()
                _ = go.wait()
                switch wait {
                case .mutex, .recursiveMutex: mutex.unlock()
                case .reader, .writer: lock.unlock()
                case .condition:
                    mutex.lock()
                    condition.signal()
                    mutex.unlock()
                case .semaphore: semaphore.post()
                case .join: break
                }
            }
            _ = isHeld.wait()
        }

        /// Waits. Returns the error number.
        func run() -> Int32 {
            switch wait {
            case .mutex, .recursiveMutex:
                let code = mutex.lock()
                mutex.unlock()
                return code
            case .reader, .writer:
                let code = wait == .reader ? lock.lockForReading() : lock.lockForWriting()
                lock.unlock()
                return code
            case .condition:
                mutex.lock()
                defer { mutex.unlock() }
                return condition.wait(mutex)
            case .semaphore: return semaphore.wait()
            case .join: return pthread_join(thread.thread, nil)
            }
        }

        func release() { go.post() }

        /// Ends the thread, once `run` has returned.
        func finish() { if wait != .join { thread.join() } }
    }

    @Test(arguments: Wait.allCases)
    func waitingGreenletLeavesTheLoopFree(wait: Wait) async throws {  // S66a
        try await withReactor { reactor in
            let held = Held(wait)
            // A blocked loop has no ticks, and there is no release.
            var ticks = 0
            let ticker = Greenlet.spawn { () async throws in
                while true {
                    try await reactor.sleep(for: .milliseconds(10))
                    ticks += 1
                    if ticks == 5 { held.release() }
                }
            }
            let (code, end) = try await Greenlet.spawn { (held.run(), ticks) }.get()
            #expect(code == 0 && end >= 5)
            held.finish()
            try await ticker.kill()
        }
    }

    @Test(arguments: Wait.allCases)
    func killEndsTheWaitForAnEventAndNotThatForAnOwner(wait: Wait) async throws {
        try await withReactor { reactor in
            let held = Held(wait)
            var code: Int32 = -1
            let waiter = Greenlet.spawn {
                code = held.run()
                try Greenlet.yield()
            }
            try await reactor.sleep(for: .milliseconds(20))
            reactor.callLater(.milliseconds(100)) { held.release() }
            try await waiter.kill()
            #expect(code == (wait == .condition || wait == .semaphore ? ECANCELED : 0))
            await #expect(throws: GreenletExit.self) { try await waiter.get() }
            if wait == .condition || wait == .semaphore { try await reactor.sleep(for: .milliseconds(120)) }
            held.finish()
        }
    }

    @Test(arguments: Wait.allCases)
    func outsideAGreenletTheWaitBlocksItsThread(wait: Wait) {
        let held = Held(wait)
        let start = monotonicNanoseconds()
        let helper = PosixThread {
            usleep(50_000)
            held.release()
        }
        #expect(held.run() == 0)
        #expect(monotonicNanoseconds() - start >= 50_000_000)
        helper.join()
        held.finish()
    }
}
