import ReactorTesting
import Testing

@testable import ReactorCore

/// On a stack of 64 KiB some hundred links that release each other are too many.
@Suite struct GraveyardTests {
    private static let count = 100_000

    /// Runs `body` on a small stack, and expects that all lives it made have ended.
    private func check(
        _ body: @escaping @Sendable @ReactorActor (Life.Count) throws -> Int, expecting number: Int
    ) async throws {
        let lives = Life.Count()
        let result = try await onThread { _ in
            let result = try body(lives)
            return (result, lives.now)
        }
        #expect(result == (number, 0))
    }

    @Test(arguments: [true, false])
    func hundredThousandCallbacksOnOneDeferred(_ isFired: Bool) async throws {  // S12
        try await check(
            { lives in
                let life = Life(lives)
                let deferred = Deferred<Int>()
                for _ in 0..<Self.count {
                    deferred.addCallback {
                        life.keep()
                        return $0 + 1
                    }
                }
                if isFired { try deferred.callback(0) }
                return deferred.outcome ?? -1
            }, expecting: isFired ? Self.count : -1)
    }

    @Test(arguments: [true, false])
    func hundredThousandDeferredsThatWaitForEachOther(_ isFired: Bool) async throws {  // S12
        try await check(
            { lives in
                let life = Life(lives)
                let first = Deferred<Int>()
                var last = first
                for _ in 0..<Self.count {
                    let next = last
                    last = Deferred.succeed(()).addCallback { next }.addCallback {
                        life.keep()
                        return $0 + 1
                    }
                }
                if isFired { try first.callback(0) }
                return last.outcome ?? -1
            }, expecting: isFired ? Self.count : -1)
    }

    /// Only the outermost is held: every other one has gone to its heir.
    @Test(arguments: [true, false])
    func cancelThroughAHundredThousandThatNobodyHolds(_ isCancelled: Bool) async throws {  // S12, S18
        try await check(
            { lives in
                let life = Life(lives)
                var last = Deferred<Int>()
                for _ in 0..<Self.count {
                    let next = last
                    last = Deferred.succeed(()).addCallback { next }.addErrback {
                        life.keep()
                        throw $0
                    }
                }
                if isCancelled { last.cancel() }
                return last.addErrback { _ in 7 }.outcome ?? -1
            }, expecting: isCancelled ? 7 : -1)
    }

    @Test(arguments: [true, false])
    func hundredThousandClosuresThatHoldTheDeferredBefore(_ isFired: Bool) async throws {  // S12
        try await check(
            { lives in
                let life = Life(lives)
                let first = Deferred<Int>()
                var last = first
                for _ in 0..<Self.count {
                    let next = last
                    last = Deferred<Int>().addCallback { _ in
                        life.keep()
                        return next
                    }
                    if isFired { try last.callback(0) }
                }
                if isFired { try first.callback(3) }
                return last.outcome ?? -1
            }, expecting: isFired ? 3 : -1)
    }

    @Test func hundredThousandCancellersThatHoldTheDeferredBefore() async throws {  // S12
        try await check(
            { lives in
                let life = Life(lives)
                var last = Deferred<Int>()
                for _ in 0..<Self.count {
                    let next = last
                    last = Deferred<Int>(onCancel: { _ in
                        life.keep()
                        next.cancel()
                    })
                }
                return last.isCalled ? 1 : 0
            }, expecting: 0)
    }

    private struct Link: Sendable {
        var next: Deferred<Link>?
        var life: Life
    }

    private struct LargeLink: Sendable {
        var next: Deferred<LargeLink>?
        var life: Life
        var padding = (1, 2, 3, 4)
    }

    /// A stream: each value holds the Deferred of the next.
    @Test func hundredThousandValuesThatHoldTheNextDeferred() async throws {  // S12
        try await check(
            { lives in
                let life = Life(lives)
                var small = Deferred<Link>()
                var large = Deferred<LargeLink>()
                for _ in 0..<Self.count {
                    small = .succeed(Link(next: small, life: life))
                    large = .succeed(LargeLink(next: large, life: life))
                }
                return small.isCalled && large.isCalled ? 1 : 0
            }, expecting: 1)
    }

    @Test func hundredThousandListsOfTheListBefore() async throws {  // S12
        try await check(
            { lives in
                let life = Life(lives)
                var last = Deferred<Int>()
                for _ in 0..<Self.count {
                    last = gatherResults([last]).addCallback { _ in
                        life.keep()
                        return 1
                    }
                }
                return last.isCalled ? 1 : 0
            }, expecting: 0)
    }

    @Test func releaseOnAnotherThreadWithASmallStack() async throws {  // S12
        let lives = Life.Count()
        try await withReactor { _ in
            let place = LastReference<Int>()
            do {
                let life = Life(lives)
                var last = Deferred<Int>()
                for number in 0..<Self.count {
                    let next = last
                    last = (number % 2 == 0 ? Deferred.succeed(0) : Deferred<Int>()).addCallback { _ in
                        life.keep()
                        return next
                    }
                }
                place.deferred = last
            }
            #expect(lives.now == 1)
            await elsewhere { place.deferred = nil }
            #expect(lives.now == 0)
        }
    }
}
