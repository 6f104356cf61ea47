import Greenlets
import ReactorCore
import ReactorTesting
import Testing

enum QueueKind: CaseIterable, CustomTestStringConvertible {
    case fifo, lifo, priority

    var contract: any QueueContracting {
        switch self {
        case .fifo: QueueContract<FIFOStorage<Int>>(order: [1, 2, 3])
        case .lifo: QueueContract<LIFOStorage<Int>>(order: [3, 2, 1])
        case .priority: QueueContract<PriorityStorage<Int>>(order: [1, 2, 3])
        }
    }

    var testDescription: String { "\(self)" }
}

@Suite struct WaitingQueueTests {
    @Test(arguments: QueueKind.allCases) func givesElementsInItsOrder(_ kind: QueueKind) async throws {
        try await kind.contract.givesElementsInItsOrder()
    }
    @Test(arguments: QueueKind.allCases) func putParksWhileThereIsNoRoom(_ kind: QueueKind) async throws {
        try await kind.contract.putParksWhileThereIsNoRoom()
    }
    @Test(arguments: QueueKind.allCases) func getParksUntilThereIsAnElement(_ kind: QueueKind) async throws {
        try await kind.contract.getParksUntilThereIsAnElement()
    }
    @Test(arguments: QueueKind.allCases) func triesNeverWait(_ kind: QueueKind) async throws {
        try await kind.contract.triesNeverWait()
    }
    @Test(arguments: QueueKind.allCases) func timeoutsTakeAndLeaveNothing(_ kind: QueueKind) async throws {
        try await kind.contract.timeoutsTakeAndLeaveNothing()
    }
    @Test(arguments: QueueKind.allCases) func waiterThatDiedTakesNothing(_ kind: QueueKind) async throws {
        // S57
        try await kind.contract.waiterThatDiedTakesNothing()
    }
    @Test(arguments: QueueKind.allCases) func killAfterTheHandOverComesTooLate(_ kind: QueueKind) async throws
    {
        try await kind.contract.killAfterTheHandOverComesTooLate()
    }
    @Test(arguments: QueueKind.allCases) func peekersTakeNothing(_ kind: QueueKind) async throws {
        try await kind.contract.peekersTakeNothing()
    }
    @Test(arguments: QueueKind.allCases) func joinWaitsForAllTasks(_ kind: QueueKind) async throws {
        try await kind.contract.joinWaitsForAllTasks()
    }
    @Test(arguments: QueueKind.allCases) func copiesGoTheirOwnWay(_ kind: QueueKind) async throws {
        try await kind.contract.copiesGoTheirOwnWay()
    }
    @Test(arguments: QueueKind.allCases) func closingDrains(_ kind: QueueKind) async throws {
        try await kind.contract.closingDrains()
    }
    @Test(arguments: QueueKind.allCases) func closingDiscards(_ kind: QueueKind) async throws {
        try await kind.contract.closingDiscards()
    }
    @Test(arguments: QueueKind.allCases) func iterationsEndWithTheQueue(_ kind: QueueKind) async throws {
        try await kind.contract.iterationsEndWithTheQueue()
    }
    @Test(arguments: QueueKind.allCases) func threadsPutInOrder(_ kind: QueueKind) async throws {
        try await kind.contract.threadsPutInOrder()
    }
    @Test(arguments: QueueKind.allCases, [1, 100, 1000, 10_000])
    func manyWaitersAreServedInOrder(_ kind: QueueKind, _ count: Int) async throws {
        try await kind.contract.manyWaiters(count)
    }

    @Test func equalPrioritiesLeaveInTheOrderTheyCame() async throws {
        struct Job: Comparable, Sendable {
            let priority: Int
            let number: Int
            static func < (left: Job, right: Job) -> Bool { left.priority < right.priority }
            static func == (left: Job, right: Job) -> Bool { left.priority == right.priority }
        }
        try await withReactor { _ in
            var random = SeededGenerator(seed: 5)
            let queue = PriorityQueue<Job>()
            let jobs = (0..<500).map { Job(priority: Int.random(in: 0..<5, using: &random), number: $0) }
            for job in jobs { try await queue.put(job) }
            var out: [Job] = []
            while let job = queue.tryGet() { out.append(job) }
            let expected = (0..<5).flatMap { priority in jobs.filter { $0.priority == priority } }
            #expect(out.map(\.number) == expected.map(\.number))
        }
    }

    @Test func putFromAThreadIntoAClosedQueueIsReported() async throws {
        try await withReactor { reactor in
            let queue = Queue<Int>()
            let reports = IntLog()
            reactor.onUncaughtError = { error, _ in
                if (error as? GreenletError)?.code == .closed { reports.numbers.append(1) }
            }
            queue.close()
            try await reactor.threadPool.run { queue.putFromThread(1) }
            while reports.numbers.isEmpty { await Greenlet.yield() }
            #expect(reports.numbers == [1] && queue.isEmpty)
        }
    }

    @Test func descriptionSaysHowFullItIs() async throws {
        try await withReactor { _ in
            let queue = LIFOQueue<Int>(capacity: 10)
            try await queue.put(1)
            #expect(queue.waitDescription == "a LIFO queue of Int with 1 of 10 elements")
        }
    }

    @Test func capacityZeroTraps() async {
        await #expect(processExitsWith: .failure) {
            try await withReactor { _ in _ = Queue<Int>(capacity: 0) }
        }
    }

    @Test func negativeCapacityTraps() async {
        await #expect(processExitsWith: .failure) {
            try await withReactor { _ in _ = PriorityQueue<Int>(capacity: -1) }
        }
    }
}
