import Testing

@testable import ConnectionPools

/// Everyone who holds a connection waits for another: the last to ask is told, and nobody else is.
@Suite struct PoolDeadlockTests {
    static func holder(_ greenlet: Int, task: UInt? = nil) -> PoolHolder {
        PoolHolder(greenlet: greenlet, task: task ?? UInt(greenlet))
    }

    /// A pool of two with both lent to greenlets 1 and 2.
    static func lentOut() -> (Machine, [PoolSlot]) {
        var pool = Machine(maximum: 2)
        let slots = (1...2).map { greenlet in
            let slot = pool.wait(greenlet, for: holder(greenlet), at: .zero).actions.opens[0]
            _ = pool.connectSucceeded(slot, greenlet, at: .zero)
            return slot
        }
        return (pool, slots)
    }

    @Test func theLastToAskIsRefusedAndTheOtherIsServedByItsReturn() {
        var (pool, slots) = Self.lentOut()
        #expect(pool.wait(10, for: Self.holder(1), at: .zero).ticket != nil)
        let (ticket, actions) = pool.wait(20, for: Self.holder(2), at: .zero)
        #expect(ticket == nil && actions.refusals.map(\.waiter) == [20])
        #expect(actions.refusals.map(\.reason) == [.deadlock])
        #expect(pool.release(slots[1], .reusable, at: .zero).handOff?.waiter == 10)
    }

    @Test func oneGreenletThatTakesAllAndMoreIsToldAtOnce() {
        var pool = Machine(maximum: 1)
        let slot = pool.wait(1, for: Self.holder(1), at: .zero).actions.opens[0]
        _ = pool.connectSucceeded(slot, 1, at: .zero)
        #expect(pool.wait(2, for: Self.holder(1), at: .zero).actions.refusals.map(\.reason) == [.deadlock])
    }

    @Test func whoHoldsAConnectionIsKnown() {
        let (pool, _) = Self.lentOut()
        #expect(pool.isHolding(Self.holder(1)) && !pool.isHolding(Self.holder(3)))
        #expect(!pool.isHolding(Self.holder(1, task: 7)), "another task of the greenlet does not")
    }

    @Test func aHolderThatDoesNotWaitPreventsTheClaim() {
        var (pool, _) = Self.lentOut()
        #expect(pool.wait(10, for: Self.holder(1), at: .zero).ticket != nil)
        #expect(pool.wait(30, for: Self.holder(3), at: .zero).ticket != nil)
        #expect(pool.counts.waiting == 2)
    }

    @Test func aHolderThatIsNotKnownPreventsTheClaim() {
        var pool = Machine(maximum: 2)
        let unknown = pool.borrowNew(1)
        let slot = pool.wait(2, for: Self.holder(2), at: .zero).actions.opens[0]
        _ = pool.connectSucceeded(slot, 2, at: .zero)
        #expect(pool.wait(20, for: Self.holder(2), at: .zero).ticket != nil)
        #expect(pool.wait(21, at: .zero).ticket != nil)
        #expect(pool.release(unknown, .reusable, at: .zero).handOff?.waiter == 20)
    }

    @Test func anotherTaskOfTheSameGreenletIsAnotherHolder() {
        var pool = Machine(maximum: 1)
        let slot = pool.wait(1, for: Self.holder(1), at: .zero).actions.opens[0]
        _ = pool.connectSucceeded(slot, 1, at: .zero)
        #expect(pool.wait(2, for: Self.holder(1, task: 99), at: .zero).ticket != nil)
    }

    @Test func aHolderThatHasStoppedWaitingPreventsTheClaim() {
        var (pool, _) = Self.lentOut()
        let ticket = pool.wait(10, for: Self.holder(1), at: .zero).ticket!
        _ = pool.cancelWaiter(ticket)
        #expect(pool.wait(20, for: Self.holder(2), at: .zero).ticket != nil)
    }

    @Test func aConnectionOnItsWayBackPreventsTheClaim() {
        var (pool, slots) = Self.lentOut()
        #expect(pool.wait(10, for: Self.holder(1), at: .zero).ticket != nil)
        pool.returnBegan(slots[1])
        #expect(pool.wait(20, for: Self.holder(2), at: .zero).ticket != nil)
    }

    @Test func aPlaceAboutToBeFreePreventsTheClaimUntilItIsGone() {
        var pool = Machine(maximum: 3)
        let slots = (1...3).map { greenlet in
            let slot = pool.wait(greenlet, for: Self.holder(greenlet), at: .zero).actions.opens[0]
            _ = pool.connectSucceeded(slot, greenlet, at: .zero)
            return slot
        }
        #expect(pool.wait(10, for: Self.holder(1), at: .zero).ticket != nil)
        #expect(pool.wait(20, for: Self.holder(2), at: .zero).ticket != nil)
        _ = pool.resize(to: 2, at: .zero)
        #expect(pool.release(slots[2], .reusable, at: .zero).closes.count == 1)
        #expect(pool.counts.waiting == 2)
        let gone = pool.closeFinished(slots[2], at: .zero)
        #expect(gone.refusals.map(\.waiter) == [20] && gone.refusals.map(\.reason) == [.deadlock])
    }

    @Test func oneThatStandsAheadKeepsItsPlaceWhenAnotherIsRefused() {
        var (pool, _) = Self.lentOut()
        #expect(pool.wait(10, for: Self.holder(1), at: .zero).ticket != nil)
        let (ticket, actions) = pool.wait(20, for: Self.holder(2), ahead: true, at: .zero)
        #expect(actions.refusals.map(\.waiter) == [10])
        #expect(pool.cancelWaiter(ticket!) == 20)
    }

    @Test func oneWhoseConnectionSomebodyElseGaveBackIsNoHolder() {
        var (pool, slots) = Self.lentOut()
        #expect(pool.wait(10, for: Self.holder(1), at: .zero).ticket != nil)
        #expect(pool.wait(11, for: Self.holder(3), at: .zero).ticket != nil)
        // Greenlet 1's goes to the head of the queue, greenlet 1 itself; 3 waits on.
        #expect(pool.release(slots[0], .reusable, at: .zero).handOff?.waiter == 10)
        #expect(pool.wait(20, for: Self.holder(2), at: .zero).actions.refusals.isEmpty)
        #expect(pool.wait(12, for: Self.holder(1), at: .zero).actions.refusals.map(\.waiter) == [12])
    }
}
