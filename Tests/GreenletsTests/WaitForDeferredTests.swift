import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

@Suite struct WaitForDeferredTests {
    struct Spam: Error {}

    @Test(.onReactor)
    @ReactorActor func valueAndErrorReachTheGreenlet() async throws {
        let reactor = reactor
        let greenlet = Greenlet.spawn { () throws -> Int in
            try waitForDeferred(reactor.deferLater(.milliseconds(1)) { 3 })
                + reactor.waitForDeferred(Deferred<Int>.succeed(4))
        }
        let value = try await greenlet.get()
        #expect(value == 7)
        let failed = Greenlet.spawn { () throws -> Int in try waitForDeferred(Deferred<Int>.fail(Spam())) }
        await #expect(throws: Spam.self) { try await failed.get() }
    }

    @Test(.onReactor)
    @ReactorActor func deferredOfADeferredIsWaitedForToItsEnd() async throws {
        let reactor = reactor
        let outer = Deferred<Deferred<Int>>()
        let greenlet = Greenlet.spawn { () throws -> Int in try waitForDeferred(outer) }
        reactor.callLater(.milliseconds(1)) { try outer.callback(reactor.deferLater(.milliseconds(1)) { 7 }) }
        let value = try await greenlet.get()
        #expect(value == 7)
        let other = Deferred<Deferred<Int>>()
        try other.callback(.succeed(8))
        let awaited = try await waitForDeferred(other)
        #expect(awaited == 8)
    }

    @Test(.onReactor)
    @ReactorActor func asyncCodeAwaitsIt() async throws {
        let value = try await waitForDeferred(reactor.deferLater(.milliseconds(1)) { 7 })
        let other = try await reactor.waitForDeferred(Deferred<Int>.succeed(8))
        #expect(value == 7 && other == 8)
    }

    @Test(.onReactor)
    @ReactorActor func killedGreenletCancelsTheDeferred() async throws {
        var isCancelled = false
        let deferred = Deferred<Int>(onCancel: { _ in isCancelled = true })
        let greenlet = Greenlet.spawn { () throws -> Int in try waitForDeferred(deferred) }
        try await Greenlet.waitUntilIdle()
        try await greenlet.kill()
        #expect(isCancelled && greenlet.isSuccessful)
    }

    @Test func waitingOnTheReactorItselfTrapsWithAnExplanation() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Reactor().run(until: {
                let deferred = Deferred<Int>()
                reactor.callLater(.zero) { _ = try waitForDeferred(deferred) }
                try await reactor.sleep(for: .seconds(60))
            })
        }
        let text = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(text.contains("waitForDeferred was called on the reactor itself, outside a greenlet"))
        #expect(text.contains("deferToGreenlet"))
    }

    @Test func waitingInAnAsyncGreenletsSynchronousCodeTrapsToo() async throws {
        _ = try await #require(processExitsWith: .failure) {
            try Reactor().run(until: {
                @ReactorActor func look() throws -> Int { try waitForDeferred(Deferred<Int>()) }
                _ = try await Greenlet.spawn { () async throws -> Int in
                    await Greenlet.yield()
                    return try look()
                }.get()
            })
        }
    }
}
