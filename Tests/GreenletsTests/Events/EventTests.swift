import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct EventTests {
    @Test func waitReturnsAtOnceWhileTheFlagIsSet() async throws {
        try await withReactor { _ in
            let event = Event(isSet: true)
            let first = try await event.wait()
            event.clear()
            let second = try await event.wait(timeout: .zero)
            #expect(first && !second && !event.isSet && event.waiterCount == 0)
        }
    }

    /// S57: nobody has run between the two calls.
    @Test(arguments: [1, 100, 1000, 10_000])
    func setAndClearInOneBreathWakesAllWhoWait(count: Int) async throws {
        try await withReactor { _ in
            let event = Event()
            let waiters = (0..<count).map { number in
                number % 2 == 0
                    ? Greenlet.spawn { () async throws in try await event.wait() }
                    : Greenlet.spawn { () async throws in try await event.wait(timeout: .seconds(60)) }
            }
            while event.waiterCount < count { await Greenlet.yield() }
            event.set()
            event.clear()
            for waiter in waiters {
                let hasSeenIt = try await waiter.get()
                #expect(hasSeenIt)
            }
            #expect(event.waiterCount == 0 && !event.isSet)
        }
    }

    @Test(arguments: [1, 100, 1000])  // S57
    func synchronousWaitersAreWokenToo(count: Int) async throws {
        try await withReactor { _ in
            let event = Event()
            let waiters = (0..<count).map { _ in Greenlet.spawn { () throws -> Bool in try event.wait() } }
            while event.waiterCount < count { await Greenlet.yield() }
            event.set()
            event.clear()
            for waiter in waiters {
                let hasSeenIt = try await waiter.get()
                #expect(hasSeenIt)
            }
        }
    }

    @Test func waitersGoOnInTheOrderTheyCame() async throws {
        try await withReactor { _ in
            let event = Event()
            let log = IntLog()
            let waiters = (0..<50).map { number in
                Greenlet.spawn { () async throws -> Void in
                    try await event.wait()
                    log.numbers.append(number)
                }
            }
            await Greenlet.yield()
            waiters[3].cancel()
            waiters[49].cancel()
            event.set()
            for waiter in waiters { try await waiter.join() }
            #expect(log.numbers == (0..<50).filter { $0 != 3 && $0 != 49 })
        }
    }

    @Test func timeoutIsFalseAndLeavesTheLine() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let event = Event()
            let isAsyncSet = try await event.wait(timeout: .seconds(5))
            let isSyncSet = try await Greenlet.spawn { () throws -> Bool in
                try event.wait(timeout: .seconds(5))
            }.get()
            #expect(!isAsyncSet && !isSyncSet && event.waiterCount == 0)
        }
    }

    @Test func setFromAThreadArrives() async throws {
        try await withReactor { reactor in
            let event = Event()
            async let isSet = event.wait(timeout: .seconds(60))
            try await reactor.threadPool.run { event.setFromThread() }
            #expect(try await isSet)
            #expect(event.isSet)
        }
    }

    @Test func noWakeUpFromAThreadIsLost() async throws {
        try await withReactor { reactor in
            for _ in 0..<300 {
                let event = Event()
                let waiter = Greenlet.spawn { () throws -> Bool in try event.wait() }
                try await reactor.threadPool.run { event.setFromThread() }
                let isSet = try await waiter.get()
                #expect(isSet)
            }
        }
    }

    @Test func synchronousFormOutsideAGreenletThrows() async throws {
        try await withReactor { _ in
            let event = Event()
            func wait() throws { try event.wait() }
            let error = #expect(throws: GreenletError.self) { try wait() }
            #expect(error?.code == .notInGreenlet)
        }
    }
}
