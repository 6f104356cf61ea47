import CBlockingShims
import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.enabled(if: shimsThreads)) struct SemaphoreTests {
    @Test func waitParksUntilThePost() {
        let semaphore = Semaphore()
        let scheduler = onFiber { scheduler in
            errno = ENOENT
            scheduler.whenParked = [{ semaphore.post() }]
            #expect(sem_wait(semaphore.address) == 0)
            #expect(errno == ENOENT)
        }
        #expect(scheduler.waits.count == 1)
    }

    @Test func postedSemaphoreIsTakenWithoutAPark() {
        let semaphore = Semaphore(1)
        let scheduler = onFiber { _ in #expect(semaphore.wait() == 0) }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: [CLOCK_REALTIME, CLOCK_MONOTONIC])
    func limitEndsTheWait(clock: clockid_t) {
        let semaphore = Semaphore()
        onFiber { _ in
            var limit = time(in: 30, by: clock)
            let run = timed {
                clock == CLOCK_REALTIME
                    ? sem_timedwait(semaphore.address, &limit)
                    : semaphore.call("sem_clockwait", clock, &limit)
            }
            #expect(run.result == -1 && errno == ETIMEDOUT)
            #expect(run.seconds >= 0.029)
            limit.tv_nsec = -1
            #expect(sem_timedwait(semaphore.address, &limit) == -1 && errno == EINVAL)
            semaphore.post()
            #expect(sem_timedwait(semaphore.address, &limit) == 0)
        }
    }

    @Test func endedFiberGetsECANCELEDAndLeavesThePostToOthers() async throws {
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            #expect(Semaphore().wait() == ECANCELED)
        }
        try await withReactor { reactor in
            let semaphore = Semaphore()
            let first = Greenlet.spawn { semaphore.wait() }
            let second = Greenlet.spawn { semaphore.wait() }
            try await reactor.sleep(for: .milliseconds(10))
            semaphore.post()  // wakes the first, which is killed before it runs
            try await first.kill()
            let code = try await first.get()
            // Either it took the post and came back with it, or the post went on to the second.
            #expect(code == 0 || code == ECANCELED)
            if code == 0 { semaphore.post() }
            let other = try await second.get()
            #expect(other == 0)
        }
    }

    @Test func postFromAnotherThreadWakesAGreenlet() async throws {
        try await withReactor { reactor in
            let (there, back) = (Semaphore(), Semaphore())
            let thread = PosixThread {
                for _ in 0..<200 {
                    _ = there.wait()
                    back.post()
                }
            }
            try await Greenlet.spawn {
                for _ in 0..<200 {
                    there.post()
                    #expect(back.wait() == 0)
                }
            }.get()
            thread.join()
        }
    }

    @Test func signalHandlerMayPost() {
        // A real-time signal that nothing else here uses; its handler stays, with a semaphore that does.
        let number: Int32 = 41
        let semaphore = signalledSemaphore
        handlersSemaphore.store(semaphore.address)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in sem_post(handlersSemaphore.load()) }
        action.sa_flags = Int32(SA_RESTART)
        sigaction(number, &action, nil)
        onFiber { scheduler in
            scheduler.whenParked = [
                {
                    // Threads of a task executor may have it blocked.
                    var (set, before) = (sigset_t(), sigset_t())
                    sigemptyset(&set)
                    sigaddset(&set, number)
                    pthread_sigmask(SIG_UNBLOCK, &set, &before)
                    pthread_kill(pthread_self(), number)
                    pthread_sigmask(SIG_SETMASK, &before, nil)
                }
            ]
            #expect(semaphore.wait() == 0)
        }
    }
}

/// What the handler posts to. Unchecked: written before the signal is sent.
private final class HandlersSemaphore: @unchecked Sendable {
    private var address: UnsafeMutablePointer<sem_t>?
    func store(_ address: UnsafeMutablePointer<sem_t>) { self.address = address }
    func load() -> UnsafeMutablePointer<sem_t> { address! }  // the test stores it first
}
private let handlersSemaphore = HandlersSemaphore()
/// It stays, for the handler does.
private let signalledSemaphore = Semaphore()
