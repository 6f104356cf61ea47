import Testing

@testable import ConnectionPools

/// How soon a pool is back when its server is.
@Suite struct PoolRecoveryTests {
    @Test func firstWaiterIsServedWithinASecondWhateverWentBefore() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var longest = Duration.zero
        var (attempts, hung, abandoned, hours) = (0, 0, 0, 0)
        for history in 0..<100 as Range<UInt64> {
            do {
                var world = OutageWorld(seed: seed &+ history, isLong: history % 25 == 0)
                longest = max(longest, try world.live())
                attempts += world.attempts
                hung += world.hung
                abandoned += world.abandoned
                if world.outage >= .seconds(3600) { hours += 1 }
            } catch {
                Issue.record(
                    "OutageWorld(seed: \(seed &+ history), isLong: \(history % 25 == 0)) fails: \(error)")
                throw error
            }
        }
        print("first waiter after an outage: \(longest) at most; \(attempts) attempts, \(hung) hung")
        // The histories came by what they were to come by.
        #expect(longest > .milliseconds(200) && hung > 100 && abandoned > 30 && hours == 4)
    }

    @Test func aServerThatIsSlowToAnswerIsReachedAllTheSame() throws {
        var world = OutageWorld(seed: 1, isLong: false)
        world.pool = Machine(limits: PoolLimits(maximum: 4, minimum: 0))
        world.phases = [.init(kind: .refusing, until: .seconds(5))]
        world.slowness = .seconds(3)
        let wait = try world.live(within: .seconds(8))
        #expect(wait >= .seconds(3))
    }

    @Test func aNewcomerShortensAPauseThatWasForNobody() throws {
        var pool = Machine(limits: PoolLimits(maximum: 2, minimum: 1, backoffJitter: 0))
        var slot = pool.replenish(at: .zero).opens[0]
        var armed: (delay: Duration, number: UInt64)?
        for _ in 0..<12 {
            armed = pool.connectFailed(slot, isPermanent: false, jitter: 0, at: .zero).backoff
            if armed!.delay < .seconds(5) { slot = pool.backoffElapsed(armed!.number, at: .zero).opens[0] }
            if armed!.delay == .seconds(5) { break }
        }
        let early = pool.wait(1, at: .milliseconds(100)).actions
        #expect(early.opens.isEmpty && early.backoff?.delay == .milliseconds(200))
        #expect(pool.backoffElapsed(armed!.number, at: .milliseconds(200)).opens.isEmpty)
        #expect(pool.wait(2, at: .milliseconds(200)).actions.backoff == nil)
        #expect(pool.backoffElapsed(early.backoff!.number, at: .milliseconds(300)).opens.count == 1)
    }

    @Test func aPauseThatIsLongEnoughAlreadyEndsWithTheNewcomer() {
        var pool = Machine(
            limits: PoolLimits(maximum: 2, minimum: 1, firstBackoff: .seconds(5), backoffJitter: 0))
        let slot = pool.replenish(at: .zero).opens[0]
        _ = pool.connectFailed(slot, isPermanent: false, jitter: 0, at: .zero)
        #expect(pool.wait(1, at: .seconds(2)).actions.backoff?.delay == .zero)
    }

    @Test func withoutTroubleAnAttemptIsGivenItsTime() {
        var pool = Machine(maximum: 4)
        let first = pool.wait(1, at: .zero).actions
        #expect(first.opens.count == 1 && first.patience == nil)
        #expect(pool.wait(2, at: .seconds(5)).actions.opens.count == 1)
    }

    @Test func afterTroubleAnAttemptThatHangsHoldsUpNobody() throws {
        var pool = Machine(maximum: 8)
        let slot = pool.borrowNew(1)
        let lost = pool.release(slot, .broken(.serverGone), at: .zero)
        #expect(lost.opens.isEmpty)
        let first = pool.wait(1, at: .zero).actions
        var opened = first.opens
        var armed = try #require(first.patience)
        #expect(opened.count == 1 && armed.delay == .milliseconds(400))
        var now = Duration.zero
        for _ in 1...3 {
            now += armed.delay
            let next = pool.patienceElapsed(armed.number, at: now)
            #expect(next.opens.count == 1 && next.abandons.isEmpty)
            opened += next.opens
            armed = try #require(next.patience)
        }
        // As many as may be under way hang: the youngest makes room, the oldest keeps its time.
        now += armed.delay
        let full = pool.patienceElapsed(armed.number, at: now)
        #expect(full.opens.isEmpty && full.abandons == [opened[3]] && pool.isAbandoned(opened[3]))
        let replaced = pool.connectFailed(opened[3], isPermanent: false, jitter: 0, at: now)
        #expect(replaced.opens.count == 1 && replaced.backoff == nil && pool.failuresInARow == 0)
        let served = pool.connectSucceeded(replaced.opens[0], 2, at: now)
        #expect(served.handOff?.waiter == 1)
    }

    @Test func aSuccessLetsAllGoOnAtOnce() {
        var pool = Machine(maximum: 8)
        let slots = (0..<8).flatMap { pool.wait($0, at: .zero).actions.opens }
        var armed: (delay: Duration, number: UInt64)?
        for slot in slots {
            armed = pool.connectFailed(slot, isPermanent: false, jitter: 0, at: .zero).backoff ?? armed
        }
        let probe = pool.backoffElapsed(armed!.number, at: armed!.delay).opens
        #expect(probe.count == 1)
        let success = pool.connectSucceeded(probe[0], 1, at: armed!.delay)
        #expect(success.handOff?.waiter == 0 && success.opens.count == 4)
    }
}
