import Testing

@testable import ConnectionPools

@Suite struct WaitQueueTests {
    @Test func servesInOrderOfArrival() {
        var queue = WaitQueue<Int>()
        for waiter in 1...4 { _ = queue.append(waiter, since: .zero) }
        #expect(queue.removeAll() == [1, 2, 3, 4])
        #expect(queue.isEmpty)
    }

    @Test(arguments: [0, 1, 2, 3])
    func aRemovedWaiterLeavesTheOrderOfTheRest(position: Int) {
        var queue = WaitQueue<Int>()
        let tickets = (0..<4).map { queue.append($0, since: .zero) }
        #expect(queue.remove(tickets[position])?.waiter == position)
        #expect(queue.remove(tickets[position])?.waiter == nil)
        #expect(queue.removeAll() == [0, 1, 2, 3].filter { $0 != position })
    }

    @Test func aTicketDoesNotNameALaterWaiterInTheSamePlace() {
        var queue = WaitQueue<Int>()
        let old = queue.append(1, since: .zero)
        _ = queue.popFirst()
        _ = queue.append(2, since: .zero)
        #expect(queue.remove(old)?.waiter == nil)
        #expect(queue.popFirst()?.waiter == 2)
    }

    @Test func cancelledWaitersLeaveNoRoomTaken() {
        var queue = WaitQueue<Int>()
        _ = queue.append(0, since: .zero)
        for _ in 0..<10_000 { #expect(queue.remove(queue.append(1, since: .zero))?.waiter == 1) }
        #expect(queue.count == 1)
        let last = queue.append(2, since: .seconds(3))
        #expect(last.index <= 1)
        #expect(queue.headSince == .zero)
    }

    @Test func whoeverStandsAheadIsNextAndTheRestKeepTheirOrder() {
        var queue = WaitQueue<Int>()
        _ = queue.append(9, since: .zero, ahead: true)
        _ = queue.append(2, since: .zero)
        let first = queue.append(1, since: .zero, ahead: true)
        _ = queue.append(0, since: .zero, ahead: true)
        #expect(queue.remove(first)?.waiter == 1)
        #expect(queue.removeAll() == [0, 9, 2])
    }

    @Test func theLastThatHoldsIsFoundBehindOthers() {
        var queue = WaitQueue<Int>()
        for waiter in 1...4 { _ = queue.append(waiter, since: .zero, isHolding: waiter == 1 || waiter == 3) }
        #expect(queue.removeLastHolding { _ in false }?.waiter == nil)
        let found = (1...3).map { _ in queue.removeLastHolding { _ in true }?.waiter }
        #expect(found == [3, 1, nil] && queue.removeAll() == [2, 4])
    }
}
