import CBlockingShims
import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.enabled(if: BlockingShimsList.contains("pthread_join"))) struct JoinTests {
    @Test func joinParksUntilTheThreadHasEnded() {
        let go = Semaphore()
        let scheduler = onFiber { scheduler in
            let thread = PosixThread { _ = go.wait() }
            scheduler.whenParked = [{ go.post() }]
            #expect(pthread_join(thread.thread, nil) == 0)
        }
        #expect(!scheduler.parks.isEmpty)
        #expect(scheduler.parks.allSatisfy { !$0.isKillable })
    }

    @Test func limitEndsTheWaitAndTheThreadCanStillBeJoined() {
        let go = Semaphore()
        onFiber { _ in
            let thread = PosixThread { _ = go.wait() }
            var limit = time(in: 20)
            #expect(
                symbol("pthread_timedjoin_np", as: TimedJoin.self)(thread.thread, nil, &limit) == ETIMEDOUT)
            limit = time(in: 20, by: CLOCK_MONOTONIC)
            let clockJoin = symbol("pthread_clockjoin_np", as: ClockJoin.self)
            #expect(clockJoin(thread.thread, nil, CLOCK_MONOTONIC, &limit) == ETIMEDOUT)
            go.post()
            #expect(pthread_join(thread.thread, nil) == 0)
        }
    }

    @Test(arguments: [true, false])
    func joinOfC11HasTheThreadsResult(isOnFiber: Bool) {
        typealias Body = @convention(c) (UnsafeMutableRawPointer?) -> Int32
        typealias Create =
            @convention(c) (UnsafeMutablePointer<pthread_t>, Body, UnsafeMutableRawPointer?) -> Int32
        typealias Join = @convention(c) (pthread_t, UnsafeMutablePointer<Int32>?) -> Int32
        let (create, join) = (symbol("thrd_create", as: Create.self), symbol("thrd_join", as: Join.self))
        let go = Semaphore()
        func check() {
            var thread = pthread_t()
            let body: Body = { argument in
                sem_wait(argument!.assumingMemoryBound(to: sem_t.self))
                return 7
            }
            #expect(create(&thread, body, go.address) == 0)
            if !isOnFiber { go.post() }
            var result: Int32 = 0
            #expect(join(thread, &result) == 0)
            #expect(result == 7)
        }
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [{ go.post() }]
            if isOnFiber { check() }
        }
        if !isOnFiber { check() }
        #expect(scheduler.parks.isEmpty != isOnFiber)
    }

    @Test func oneselfIsNotWaitedFor() {
        onFiber { _ in #expect(pthread_join(pthread_self(), nil) == EDEADLK) }
    }

    @Test func joiningGreenletLeavesTheLoopFree() async throws {
        try await withReactor { reactor in
            let go = Semaphore()
            let thread = PosixThread { _ = go.wait() }
            let greenlet = Greenlet.spawn { pthread_join(thread.thread, nil) }
            try await reactor.sleep(for: .milliseconds(20))
            #expect(!greenlet.isReady)
            go.post()
            let code = try await greenlet.get()
            #expect(code == 0)
        }
    }
}

/// The table of shims, by name.
enum BlockingShimsList {
    static func contains(_ name: String) -> Bool {
        (0..<cbs_shim_count()).contains { String(cString: cbs_shim_at($0).pointee.name) == name }
    }
}
