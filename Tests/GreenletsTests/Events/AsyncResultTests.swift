import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct AsyncResultTests {
    private struct Oops: Error, Equatable {}

    @Test func allWaitersGetTheValue() async throws {
        try await withReactor { _ in
            let result = AsyncResult<Int>()
            let waiters = (0..<100).map { number in
                number % 2 == 0
                    ? Greenlet.spawn { () async throws in try await result.get() }
                    : Greenlet.spawn { () throws -> Int in try result.get() }
            }
            while result.waiterCount < 100 { await Greenlet.yield() }
            let early = try result.tryGet()
            #expect(early == nil && !result.isReady)
            try result.set(7)
            for waiter in waiters {
                let value = try await waiter.get()
                #expect(value == 7)
            }
            let late = try result.tryGet()
            #expect(late == 7 && result.isReady && result.value == 7 && result.error == nil)
        }
    }

    @Test func errorIsThrownToGettersAndNotToWaiters() async throws {
        try await withReactor { _ in
            let result = AsyncResult<Int>()
            try result.fail(with: Oops())
            await #expect(throws: Oops()) { try await result.get() }
            let value = try await result.wait()
            #expect(value == nil && result.error is Oops)
            #expect(throws: Oops()) { try result.tryGet() }
        }
    }

    @Test func secondOutcomeIsRefused() async throws {
        try await withReactor { _ in
            let result = AsyncResult<Int>()
            try result.set(1)
            let second = #expect(throws: GreenletError.self) { try result.set(2) }
            let third = #expect(throws: GreenletError.self) { try result.fail(with: Oops()) }
            #expect(second?.code == .alreadySet && third?.code == .alreadySet && result.value == 1)
        }
    }

    @Test func timeOutThrowsInGetAndIsNilInWait() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let result = AsyncResult<Int>()
            let error = await #expect(throws: GreenletError.self) {
                try await result.get(timeout: .seconds(1))
            }
            let value = try await result.wait(timeout: .seconds(1))
            let inFiber = try await Greenlet.spawn { () throws -> Int? in
                do { return try result.get(timeout: .seconds(1)) } catch let error as GreenletError
                    where error.isTimeout
                {
                    return try result.wait(timeout: .seconds(1))
                }
            }.get()
            #expect(error?.code == .timedOut && value == nil && inFiber == nil && result.waiterCount == 0)
        }
    }

    @Test func followsAGreenlet() async throws {
        try await withReactor { _ in
            let good = AsyncResult(of: Greenlet.spawn { () throws -> Int in 5 })
            // Nobody waits for the greenlet itself: the result counts.
            let bad = AsyncResult(of: Greenlet.spawn { () throws -> Int in throw Oops() })
            let value = try await good.get()
            #expect(value == 5)
            await #expect(throws: Oops()) { try await bad.get() }
        }
    }

    @Test func isSetFromAThread() async throws {
        try await withReactor { reactor in
            let result = AsyncResult<Int>()
            let failed = AsyncResult<Int>()
            try await reactor.threadPool.run {
                result.setFromThread(3)
                failed.failFromThread(with: Oops())
            }
            let value = try await result.get()
            #expect(value == 3)
            await #expect(throws: Oops()) { try await failed.get() }
        }
    }
}
