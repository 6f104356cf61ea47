import ReactorTesting
import Synchronization
import Testing

@testable import Greenlets
@testable import ReactorCore

@Suite struct BlockingCallFromGreenletTests {
    struct Spam: Error {}

    @Test(.onReactor)
    @ReactorActor func valueComesBackInEveryForm() async throws {  // S41
        let reactor = reactor
        let greenlet = Greenlet.spawn { () throws -> [Int] in
            [
                try reactor.blockingCallFromGreenlet { 1 },
                try reactor.blockingCallFromGreenlet(half, 4),
                try reactor.blockingCallFromGreenlet { reactor.deferLater(.milliseconds(1)) { 3 } },
                try reactor.blockingCallFromGreenlet(deferredSum, 1, 3),
                try reactor.blockingCallFromGreenlet { () async throws -> Int in
                    try await reactor.sleep(for: .milliseconds(1))
                    return 5
                },
                try blockingCallFromGreenlet(reactor) { 6 },
                try blockingCallFromGreenlet(reactor, half, 14),
                try blockingCallFromGreenlet(reactor) { Deferred<Int>.succeed(8) },
                try blockingCallFromGreenlet(reactor, deferredSum, 4, 5),
            ]
        }
        let values = try await greenlet.get()
        #expect(values == Array(1...9))
    }

    @Test(.onReactor)
    @ReactorActor func asyncCodeHasTheSameForms() async throws {
        let reactor = reactor
        let values = [
            try await reactor.blockingCallFromGreenlet { 1 },
            try await reactor.blockingCallFromGreenlet(half, 4),
            try await reactor.blockingCallFromGreenlet { reactor.deferLater(.milliseconds(1)) { 3 } },
            try await reactor.blockingCallFromGreenlet(deferredSum, 1, 3),
            try await blockingCallFromGreenlet(reactor) { 5 },
            try await blockingCallFromGreenlet(reactor, half, 12),
            try await blockingCallFromGreenlet(reactor) { Deferred<Int>.succeed(7) },
            try await blockingCallFromGreenlet(reactor, deferredSum, 4, 4),
        ]
        #expect(values == Array(1...8))
        await #expect(throws: Spam.self) {
            try await reactor.blockingCallFromGreenlet { () throws -> Int in throw Spam() }
        }
    }

    @Test(.onReactor)
    @ReactorActor func errorsKeepTheirType() async throws {  // S41
        let reactor = reactor
        let bodies: [@ReactorActor () throws -> Int] = [
            { try reactor.blockingCallFromGreenlet { () throws -> Int in throw Spam() } },
            { try reactor.blockingCallFromGreenlet { Deferred<Int>.fail(Spam()) } },
            { try reactor.blockingCallFromGreenlet(spam, 1) },
            { try blockingCallFromGreenlet(reactor) { () async throws -> Int in throw Spam() } },
        ]
        for body in bodies {
            await #expect(throws: Spam.self) { try await Greenlet.spawn(body).get() }
        }
    }

    @Test(.onReactor)
    @ReactorActor func onlyTheCallerIsBlockedAndTheBodyRunsInNoGreenlet() async throws {
        let reactor = reactor
        var log: [String] = []
        let caller = Greenlet.spawn { () throws -> Bool in
            let isInNone = try reactor.blockingCallFromGreenlet {
                !Fiber.isRunning && AnyGreenlet.current == nil
            }
            log.append("caller")
            return isInNone
        }
        let other = Greenlet.spawn { log.append("other") }
        try await other.join()
        let isInNone = try await caller.get()
        #expect(isInNone && log == ["other", "caller"])
    }

    @Test(.onReactor)
    @ReactorActor func killedCallerTakesItsCallBack() async throws {
        let reactor = reactor
        var ran = false
        var isCancelled = false
        let early = Greenlet.spawn { () throws -> Int in
            AnyGreenlet.current?.cancel()
            return try reactor.blockingCallFromGreenlet { () throws -> Int in
                ran = true
                return 1
            }
        }
        let late = Greenlet.spawn { () throws -> Int in
            try reactor.blockingCallFromGreenlet { () throws -> Deferred<Int> in
                Deferred<Int>(onCancel: { _ in isCancelled = true })
            }
        }
        let task = Greenlet.spawn { () throws -> Int in
            try reactor.blockingCallFromGreenlet { () async throws -> Int in
                try await reactor.sleep(for: .seconds(60))
                return 1
            }
        }
        try await early.join()
        try await Greenlet.waitUntilIdle()
        try await Greenlet.killAll([late, task])
        try await Greenlet.waitUntilIdle()
        #expect(!ran && isCancelled && early.isSuccessful && late.isSuccessful && task.isSuccessful)
    }

    @Test(.onReactor)
    @ReactorActor func anotherThreadsReactorMakesTheCall() async throws {
        let other = try await withOtherReactor { other in
            let greenlet = Greenlet.spawn { () throws -> [Bool] in
                [
                    try other.blockingCallFromGreenlet { other.isOnReactorThread },
                    try blockingCallFromGreenlet(other) {
                        other.deferLater(.milliseconds(1)) { other.isOnReactorThread }
                    },
                ]
            }
            return try await greenlet.get()
        }
        #expect(other == [true, true])
    }

    @Test func callOutsideAGreenletIsAClearError() {
        #expect { try Reactor.shared.blockingCallFromGreenlet { 1 } } throws: {
            ($0 as? GreenletError)?.code == .notInGreenlet
        }
    }
}

private func half(_ number: Int) -> Int { number / 2 }
private func spam(_ number: Int) throws -> Int { throw BlockingCallFromGreenletTests.Spam() }
@ReactorActor private func deferredSum(_ a: Int, _ b: Int) -> Deferred<Int> {
    reactor.deferLater(.milliseconds(1)) { a + b }
}

/// Runs `body` here while a second reactor runs on a thread of a pool.
@ReactorActor private func withOtherReactor<Value: Sendable>(
    _ body: @ReactorActor (Reactor) async throws -> Value
) async throws -> Value {
    let other = Reactor()
    let pool = ThreadPool(limit: 1)
    let end = Mutex<(any Error)?>(nil)
    try pool.submit { do { try other.run() } catch { end.withLock { $0 = error } } }
    let result: Result<Value, any Error>
    do { result = .success(try await body(other)) } catch { result = .failure(error) }
    other.whenRunning { try other.stop() }
    try await pool.stopAndWait()
    if let error = end.withLock({ $0 }) { throw error }
    return try result.get()
}
