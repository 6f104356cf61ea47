import Testing

@testable import ConnectionPools

@Suite struct PoolPauseTests {
    @Test func aPausedPoolLendsNothingAndServesInOrderWhenItResumes() {
        var pool = Machine(maximum: 2)
        let slots = (1...2).map { pool.borrowNew($0) }
        pool.pause()
        for slot in slots { #expect(pool.release(slot, .reusable, at: .zero).handOff == nil) }
        #expect(pool.tryAcquire(at: .zero) == nil)
        for waiter in 10...12 { #expect(pool.wait(waiter, at: .zero).actions.opens.isEmpty) }
        #expect(pool.resume(at: .zero).handOff?.waiter == 10)
        #expect(pool.tryAcquire(at: .zero) == nil, "a newcomer does not barge in between")
        #expect(pool.serve(at: .zero).handOff?.waiter == 11)
        #expect(pool.serve(at: .zero).handOff == nil && pool.counts.waiting == 1)
    }

    @Test func aPausedPoolOpensNothingAndOpensForThoseWhoWaitWhenItResumes() {
        var pool = Machine(maximum: 4)
        pool.pause()
        for waiter in 1...3 { #expect(pool.wait(waiter, at: .zero).actions.opens.isEmpty) }
        #expect(pool.resume(at: .zero).opens.count == 3)
    }

    @Test func aPausedPoolClosesAsAnyOther() {
        var pool = Machine(maximum: 1)
        pool.pause()
        _ = pool.wait(1, at: .zero)
        let down = pool.shutDown(force: false, at: .zero)
        #expect(down.refusals.map(\.reason) == [.closed] && down.isDrained)
    }

    @Test func whoeverComesBackEmptyHandedStandsAheadOfTheRest() {
        var pool = Machine(maximum: 1)
        let slot = pool.borrowNew(1)
        _ = pool.wait(10, at: .zero)
        _ = pool.wait(11, ahead: true, at: .zero)
        #expect(pool.release(slot, .reusable, at: .zero).handOff?.waiter == 11)
    }
}
