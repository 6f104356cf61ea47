import Testing

@testable import ReactorCore

@Suite struct WaitGraphTests {
    @Test(
        arguments: [
            ([[]], []),
            ([[1], [2], []], []),  // a chain
            ([[0]], [[0]]),  // waits for itself
            ([[1], [0]], [[0, 1]]),
            ([[1], [2], [0]], [[0, 1, 2]]),
            ([[1], [2], [1]], [[1, 2]]),  // a tail that leads into a circle
            ([[1], [0], [3], [2]], [[0, 1], [2, 3]]),
            ([[9], [0]], []),  // held by somebody who does not wait
            ([[1, 2], [], [0]], [[0, 2]]),  // one of two holders
        ] as [([[UInt]], [[UInt]])])
    func findsCircles(_ holders: [[UInt]], _ cycles: [[UInt]]) {
        let graph = WaitGraph(holders.enumerated().map { (UInt($0.offset), $0.element) })
        #expect(graph.cycles == cycles)
    }

    @Test func longChainNeedsNoStack() {
        let count: UInt = 200_000
        let graph = WaitGraph((0..<count).map { ($0, [($0 + 1) % count]) })
        #expect(graph.cycles.map(\.count) == [Int(count)])
    }
}
