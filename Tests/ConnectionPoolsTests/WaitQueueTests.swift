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
        #expect(queue.remove(tickets[position]) == position)
        #expect(queue.remove(tickets[position]) == nil)
        #expect(queue.removeAll() == [0, 1, 2, 3].filter { $0 != position })
    }

    @Test func aTicketDoesNotNameALaterWaiterInTheSamePlace() {
        var queue = WaitQueue<Int>()
        let old = queue.append(1, since: .zero)
        _ = queue.popFirst()
        _ = queue.append(2, since: .zero)
        #expect(queue.remove(old) == nil)
        #expect(queue.popFirst() == 2)
    }

    @Test func cancelledWaitersLeaveNoRoomTaken() {
        var queue = WaitQueue<Int>()
        _ = queue.append(0, since: .zero)
        for _ in 0..<10_000 { #expect(queue.remove(queue.append(1, since: .zero)) == 1) }
        #expect(queue.count == 1)
        let last = queue.append(2, since: .seconds(3))
        #expect(last.index <= 1)
        #expect(queue.headSince == .zero)
    }
}
