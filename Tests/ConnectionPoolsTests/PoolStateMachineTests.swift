import Testing

@testable import ConnectionPools

/// Connections and waiters are plain numbers here.
typealias Machine = PoolStateMachine<Int, Int>

extension Machine {
    init(maximum: Int, opening: Int = 4, waiting: Int = .max) {
        self.init(
            limits: PoolLimits(
                maximum: maximum, maximumOpening: opening, maximumWaiting: waiting, backoffJitter: 0))
    }

    /// Borrows through a connect, as the first users of a pool do.
    mutating func borrowNew(_ connection: Int) -> PoolSlot {
        let slot = wait(-1, at: .zero).actions.opens[0]
        _ = connectSucceeded(slot, connection, at: .zero)
        return slot
    }
}

@Suite struct PoolStateMachineTests {
    @Test func aWaiterOpensAConnectionAndGetsIt() throws {
        var pool = Machine(maximum: 2)
        #expect(pool.tryAcquire(at: .zero) == nil)
        let (ticket, actions) = pool.wait(7, at: .zero)
        #expect(ticket != nil && actions.opens.count == 1)
        let handed = try #require(pool.connectSucceeded(actions.opens[0], 70, at: .zero).handOff)
        #expect(handed.waiter == 7 && handed.lease.connection == 70)
        #expect(pool.counts.borrowed == 1 && pool.counts.total == 1)
    }

    @Test func placesAreReservedBeforeTheConnect() {
        var pool = Machine(maximum: 4, opening: 100)
        let opened = (0..<50).map { pool.wait($0, at: .zero).actions.opens.count }
        #expect(opened.reduce(0, +) == 4)
        #expect(pool.counts.opening == 4 && pool.counts.waiting == 50)
    }

    @Test func atMostFourConnectsRunAtOnce() {
        var pool = Machine(maximum: 20)
        let slots = (0..<50).flatMap { pool.wait($0, at: .zero).actions.opens }
        #expect(slots.count == 4)
        let next = pool.connectSucceeded(slots[0], 1, at: .zero)
        #expect(next.opens.count == 1)
    }

    @Test func aReturnedConnectionServesTheHeadAndNobodyOvertakes() throws {
        var pool = Machine(maximum: 1)
        let slot = pool.borrowNew(1)
        _ = pool.wait(10, at: .zero)
        _ = pool.wait(11, at: .zero)
        let first = try #require(pool.release(slot, .reusable, at: .zero).handOff)
        #expect(first.waiter == 10)
        #expect(pool.tryAcquire(at: .zero) == nil)
        let second = try #require(pool.release(slot, .reusable, at: .zero).handOff)
        #expect(second.waiter == 11)
    }

    @Test func whicheverComesFirstServesTheHead() throws {
        var pool = Machine(maximum: 2)
        let slot = pool.borrowNew(1)
        let opening = pool.wait(10, at: .zero).actions.opens[0]
        #expect(pool.release(slot, .reusable, at: .zero).handOff?.waiter == 10)
        #expect(pool.connectSucceeded(opening, 2, at: .zero).handOff == nil)
        #expect(pool.counts.idle == 1)
    }

    @Test func idleConnectionsAreReusedLastInFirstOut() {
        var pool = Machine(maximum: 3)
        let slots = (1...3).map { pool.borrowNew($0) }
        for slot in slots { _ = pool.release(slot, .reusable, at: .zero) }
        #expect((0..<3).map { _ in pool.tryAcquire(at: .zero)?.connection } == [3, 2, 1])
    }

    @Test func aCancelledWaiterKeepsFIFOForTheRest() {
        var pool = Machine(maximum: 1)
        let slot = pool.borrowNew(1)
        let tickets = (10...12).map { pool.wait($0, at: .zero).ticket! }
        #expect(pool.cancelWaiter(tickets[0]) == 10)
        #expect(pool.cancelWaiter(tickets[0]) == nil)
        #expect(pool.release(slot, .reusable, at: .zero).handOff?.waiter == 11)
        #expect(pool.counts.waiting == 1)
    }

    @Test func aWaiterCancelledAfterTheHandOffPassesTheConnectionOn() {
        var pool = Machine(maximum: 1)
        let slot = pool.borrowNew(1)
        let late = pool.wait(10, at: .zero).ticket!
        _ = pool.wait(11, at: .zero)
        #expect(pool.release(slot, .reusable, at: .zero).handOff?.waiter == 10)
        #expect(pool.cancelWaiter(late) == nil)
        #expect(pool.release(slot, .reusable, at: .zero).handOff?.waiter == 11)
    }

    @Test func aBrokenConnectionHoldsItsPlaceUntilItIsClosedThenWakesTheHead() {
        var pool = Machine(maximum: 1)
        let slot = pool.borrowNew(1)
        _ = pool.wait(10, at: .zero)
        let broken = pool.release(slot, .broken(.alone), at: .zero)
        #expect(broken.closes.count == 1 && broken.opens.isEmpty && pool.counts.total == 1)
        #expect(pool.closeFinished(slot, at: .zero).opens.count == 1)
    }

    @Test(arguments: [true, false])
    func backoffDoublesToItsCeilingAndNeverGivesUp(isAwaited: Bool) {
        var pool = Machine(limits: PoolLimits(maximum: 4, minimum: 4, backoffJitter: 0))
        var slots = pool.replenish(at: .zero).opens
        if isAwaited { _ = pool.wait(1, at: .zero) }
        var delays: [Duration] = []
        for _ in 0..<9 {
            var armed: (delay: Duration, number: UInt64)?
            for slot in slots {
                armed = pool.connectFailed(slot, isPermanent: false, jitter: 0, at: .zero).backoff ?? armed
            }
            delays.append(armed!.delay)
            slots = pool.backoffElapsed(armed!.number, at: .zero).opens
            #expect(slots.count == 1)
        }
        let expected =
            isAwaited
            ? [50, 100, 200, 300, 300, 300, 300, 300, 300]
            : [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]
        #expect(delays == expected.map { Duration.milliseconds($0) })
        #expect(pool.connectSucceeded(slots[0], 1, at: .zero).opens.count == 3)
    }

    @Test func jitterSpreadsTheBackoff() {
        let limits = PoolLimits(backoffJitter: 0.2)
        #expect(limits.backoff(afterFailures: 2, isAwaited: true, jitter: -1) == .milliseconds(80))
        #expect(limits.backoff(afterFailures: 2, isAwaited: true, jitter: 1) == .milliseconds(120))
        #expect(limits.backoff(afterFailures: 1000, isAwaited: true, jitter: 1) == .milliseconds(360))
        #expect(limits.backoff(afterFailures: 1000, isAwaited: false, jitter: 1) == .seconds(6))
    }

    @Test func duringBackoffNoNewcomerOpens() {
        var pool = Machine(maximum: 4)
        let slot = pool.wait(1, at: .zero).actions.opens[0]
        let armed = pool.connectFailed(slot, isPermanent: false, jitter: 0, at: .zero).backoff!
        #expect(pool.wait(2, at: .zero).actions.opens.isEmpty)
        #expect(pool.backoffElapsed(armed.number, at: .zero).opens.count == 1)
        #expect(pool.backoffElapsed(armed.number, at: .zero).opens.isEmpty)
    }

    @Test func aPermanentFailureRefusesAllWhoWait() {
        var pool = Machine(maximum: 1)
        let slot = pool.wait(1, at: .zero).actions.opens[0]
        _ = pool.wait(2, at: .zero)
        let failed = pool.connectFailed(slot, isPermanent: true, jitter: 0, at: .zero)
        #expect(failed.refusals.map(\.waiter) == [1, 2])
        #expect(failed.refusals.allSatisfy { $0.reason == .connectFailedForGood })
        #expect(pool.counts.waiting == 0)
    }

    @Test func oneLossByTheServerClosesEveryOlderIdleConnectionAtOnce() {
        var pool = Machine(maximum: 4)
        let slots = (1...4).map { pool.borrowNew($0) }
        for slot in slots[0...2] { _ = pool.release(slot, .reusable, at: .zero) }
        let lost = pool.idleConnectionLost(slots[1], .serverGone, at: .zero)
        #expect(Set(lost.closes.map(\.connection)) == [1, 2, 3])
        #expect(pool.release(slots[3], .reusable, at: .zero).closes.map(\.connection) == [4])
    }

    @Test func furtherLossesOfTheSameAgeDoNotSweepNewConnections() {
        var pool = Machine(maximum: 4)
        let old = (1...2).map { pool.borrowNew($0) }
        _ = pool.release(old[0], .broken(.serverGone), at: .zero)
        let fresh = pool.borrowNew(3)
        _ = pool.release(fresh, .reusable, at: .zero)
        let second = pool.release(old[1], .broken(.serverGone), at: .zero)
        #expect(second.closes.map(\.connection) == [2])
        #expect(pool.counts.idle == 1)
    }

    @Test func aLossAloneSweepsNothing() {
        var pool = Machine(maximum: 4)
        let slots = (1...2).map { pool.borrowNew($0) }
        for slot in slots { _ = pool.release(slot, .reusable, at: .zero) }
        #expect(pool.idleConnectionLost(slots[0], .alone, at: .zero).closes.map(\.connection) == [1])
        #expect(pool.counts.idle == 1)
    }

    @Test func aLossReportedAfterTheBorrowMeansNothing() {
        var pool = Machine(maximum: 1)
        let slot = pool.borrowNew(1)
        #expect(pool.idleConnectionLost(slot, .serverGone, at: .zero).closes.isEmpty)
        #expect(pool.release(slot, .reusable, at: .zero).closes.isEmpty)
    }

    @Test func oneWaiterTooManyIsRefusedAtOnce() {
        var pool = Machine(maximum: 1, waiting: 1)
        _ = pool.wait(1, at: .zero)
        let (ticket, actions) = pool.wait(2, at: .zero)
        #expect(ticket == nil && actions.refusals.map(\.reason) == [.tooManyWaiting])
    }

    @Test func aReturnedPlaceIsNotTakenTwice() {
        var pool = Machine(maximum: 1)
        let slot = pool.borrowNew(1)
        _ = pool.release(slot, .reusable, at: .zero)
        #expect(pool.release(slot, .reusable, at: .zero).handOff == nil)
        #expect(pool.counts.idle == 1)
        #expect(pool.tryAcquire(at: .zero) != nil && pool.tryAcquire(at: .zero) == nil)
    }
}
