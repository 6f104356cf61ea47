import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct ReadyQueueTests {
    @Test func queueThatGivesBackMemoryKeepsItsOrder() async throws {
        try await withReactor { reactor in
            var order: [Int] = []
            let tasks = (0..<20).map { number in
                reactor.startTask { () -> Void in order.append(number) }
            }
            reactor.readyPeak = 100_000
            reactor.returnReadyMemory()
            #expect(reactor.readyPeak == reactor.ready.count && reactor.readyPeak >= 20)
            for task in tasks { await task.value }
            #expect(order == Array(0..<20))
        }
    }
}
