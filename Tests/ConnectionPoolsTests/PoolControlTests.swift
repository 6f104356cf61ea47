import Testing

@testable import ConnectionPools

@Suite struct PoolControlTests {
    @Test func shutDownRefusesWaitersClosesIdleAndWaitsForBorrowers() {
        var pool = Machine(maximum: 2)
        let slots = (1...2).map { pool.borrowNew($0) }
        _ = pool.wait(9, at: .zero)
        let down = pool.shutDown(force: false, at: .zero)
        #expect(down.refusals.map(\.reason) == [.closed] && !down.isDrained)
        #expect(pool.release(slots[0], .reusable, at: .zero).closes.count == 1)
        #expect(!pool.closeFinished(slots[0], at: .zero).isDrained)
        _ = pool.release(slots[1], .reusable, at: .zero)
        #expect(pool.closeFinished(slots[1], at: .zero).isDrained)
        #expect(pool.wait(10, at: .zero).actions.refusals.map(\.reason) == [.closed])
    }

    @Test func anEmptyPoolIsDrainedAtOnce() {
        var pool = Machine(maximum: 2)
        #expect(pool.shutDown(force: false, at: .zero).isDrained)
        #expect(pool.shutDown(force: true, at: .zero).isDrained)
    }

    @Test func forceInterruptsBorrowers() {
        var pool = Machine(maximum: 2)
        _ = pool.borrowNew(1)
        #expect(pool.shutDown(force: false, at: .zero).interrupts.isEmpty)
        #expect(pool.shutDown(force: true, at: .zero).interrupts.map(\.connection) == [1])
    }

    @Test(arguments: [true, false])
    func aConnectUnderWayAtShutDownIsAbandonedAndItsOutcomeDrains(succeeds: Bool) {
        var pool = Machine(maximum: 1)
        let slot = pool.wait(1, at: .zero).actions.opens[0]
        #expect(pool.shutDown(force: false, at: .zero).abandons == [slot])
        if succeeds {
            #expect(pool.connectSucceeded(slot, 1, at: .zero).closes.count == 1)
            #expect(pool.closeFinished(slot, at: .zero).isDrained)
        } else {
            #expect(pool.connectFailed(slot, isPermanent: false, jitter: 0, at: .zero).isDrained)
        }
    }

    @Test func recyclingReplacesIdleNowAndBorrowedOnReturn() {
        var pool = Machine(maximum: 2)
        let slots = (1...2).map { pool.borrowNew($0) }
        _ = pool.release(slots[0], .reusable, at: .zero)
        #expect(pool.recycle(at: .zero).closes.map(\.connection) == [1])
        #expect(pool.release(slots[1], .reusable, at: .zero).closes.map(\.connection) == [2])
    }

    /// It may have read the old password, or reached the old server.
    @Test func recyclingReplacesWhatIsBeingOpened() {
        var pool = Machine(maximum: 1)
        let old = pool.wait(1, at: .zero).actions.opens
        #expect(pool.recycle(at: .zero).opens.isEmpty)
        let late = pool.connectSucceeded(old[0], 1, at: .zero)
        #expect(late.closes.map(\.reason) == [.recycled] && late.handOff == nil)
        let new = pool.closeFinished(old[0], at: .zero).opens
        #expect(new.count == 1)
        let served = pool.connectSucceeded(new[0], 2, at: .zero).handOff
        #expect(served?.lease.connection == 2 && served?.waiter == 1)
    }

    @Test func growingServesWaitersAndShrinkingClosesTheColdest() {
        var pool = Machine(maximum: 1)
        let first = pool.borrowNew(1)
        _ = pool.wait(2, at: .zero)
        let opened = pool.resize(to: 3, at: .zero).opens
        #expect(opened.count == 1)
        _ = pool.connectSucceeded(opened[0], 2, at: .zero)
        _ = pool.release(first, .reusable, at: .zero)
        _ = pool.release(opened[0], .reusable, at: .zero)
        #expect(pool.resize(to: 1, at: .zero).closes.map(\.connection) == [1])
    }

    @Test func shrinkingNeverTakesAConnectionInUse() {
        var pool = Machine(maximum: 2)
        let slots = (1...2).map { pool.borrowNew($0) }
        #expect(pool.resize(to: 1, at: .zero).closes.isEmpty)
        #expect(pool.release(slots[0], .reusable, at: .zero).closes.count == 1)
        #expect(pool.release(slots[1], .reusable, at: .zero).closes.isEmpty)
    }
}
