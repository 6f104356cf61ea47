import CLinux
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct TimerQueueTests {
    /// Against a naive model: a sorted array of deadlines and numbers. Calls make, move and cancel others
    /// from inside the loop, an hour of them.
    @Test(arguments: 0..<4)
    func randomCallsCancelsAndMovesRunAsAModelSays(_ round: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { reactor in
            let model = Model(
                reactor: reactor, seed: seed, unit: round % 2 == 0 ? .seconds(1) : .milliseconds(7))
            for _ in 0..<2_000 { model.step() }
            try await reactor.sleep(for: .seconds(3_600))
            while reactor.delayedCallCount > 0 { try await reactor.sleep(for: .seconds(3_600)) }
            #expect(model.expected.isEmpty, "seed \(seed)")
            #expect(model.mistakes == [], "seed \(seed)")
            #expect(model.firedCount > 500, "seed \(seed)")
        }
    }

    @Test func delayedCallsAreListedInTheOrderTheyWillBeMade() async throws {
        try await withReactor { reactor in
            let calls = [5, 1, 3, 1, 4].map { reactor.callLater(.seconds($0)) {} }
            try calls[2].cancel()
            let late = reactor.callLater(.seconds(2)) {}
            let order = [calls[1], calls[3], late, calls[4], calls[0]]
            #expect(reactor.delayedCalls.map(ObjectIdentifier.init) == order.map(ObjectIdentifier.init))
            #expect(reactor.delayedCallCount == 5)
            for call in order { try call.cancel() }
            #expect(reactor.delayedCalls.isEmpty)
        }
    }

    /// In a process of its own, where nobody else allocates, and in a detached task: with task-local values
    /// bound, as in a test, each call keeps those too.
    @Test func millionPendingCallsTakeAtMost150BytesEach() async {
        let exit = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            try await Task.detached { try measureMillionCalls() }.value
        }
        let text = String(decoding: exit?.standardErrorContent ?? [], as: UTF8.self)
        #expect(!text.contains("Fatal error"), "\(text.prefix(300))")
    }

    /// Processor time, which other load on the machine does not add to. Generous, but far below what shifting an array would take: some 25 s.
    @Test func addAndCancelStayCheapWithHundredsOfThousandsPending() async throws {
        // Detached: see above.
        let took = try await Task.detached { try timeToAddAndCancel(300_000) }.value
        #expect(took < .seconds(10))
    }
}

/// The processor time of the loop's thread.
private func timeToAddAndCancel(_ count: Int) throws -> Duration {
    let reactor = Reactor()
    return try reactor.run(until: {
        var generator = SeededGenerator(seed: 2)
        var calls: [DelayedCall] = []
        let start = clinux_thread_cpu_ns()
        for _ in 0..<count {
            let delay = Duration.milliseconds(Int.random(in: 60_000..<900_000, using: &generator))
            calls.append(reactor.callLater(delay) {})
        }
        _ = reactor.timers.pointee.nextDeadline  // the new ones enter the heap
        for index in calls.indices.shuffled(using: &generator) {
            try calls[index].cancel()
            reactor.callLater(.seconds(60)) {}.cancelIfActive()
        }
        precondition(reactor.delayedCallCount == 0)
        return .nanoseconds(clinux_thread_cpu_ns() - start)
    })
}

private func measureMillionCalls() throws {
    let reactor = Reactor()
    try reactor.run(until: {
        let count = 1_000_000
        var generator = SeededGenerator(seed: 1)
        var calls: [DelayedCall] = []
        calls.reserveCapacity(count)
        var sum = 0
        let before = allocatedBytes()
        for number in 0..<count {
            let delay = Duration.milliseconds(Int.random(in: 60_000..<3_600_000, using: &generator))
            calls.append(reactor.callLater(delay) { sum += number })
        }
        try await reactor.sleep(for: .microseconds(1))  // the new ones enter the heap
        let bytes = allocatedBytes() - before
        // A sanitizer's allocator says nothing of itself.
        if before > 0 {
            precondition(bytes / count > 50, "the allocator's word of \(bytes) bytes cannot be true")
            precondition(bytes / count <= 150, "\(bytes / count) bytes a call that holds two words")
        }
        for call in calls { try call.cancel() }
        calls = []
        let rest = allocatedBytes() - before
        precondition(rest < count, "the queue gives memory back, but \(rest) bytes are left")
    })
}

/// What the machine's allocator has given out and not got back, mapped blocks included.
private func allocatedBytes() -> Int {
    let info = mallinfo2()
    return Int(info.uordblks + info.hblkhd)
}

/// Makes, moves and cancels calls at random, and keeps a sorted list of what must come.
@ReactorActor private final class Model {
    struct Expected { var deadline: ReactorInstant, order: Int, id: Int }

    private(set) var expected: [Expected] = []
    private(set) var mistakes: [String] = []
    private(set) var firedCount = 0
    private var calls: [Int: DelayedCall] = [:]
    private var generator: SeededGenerator
    private var lastID = 0
    private var lastOrder = 0
    private let reactor: Reactor
    private let unit: Duration

    init(reactor: Reactor, seed: UInt64, unit: Duration) {
        self.reactor = reactor
        self.unit = unit
        generator = SeededGenerator(seed: seed)
    }

    /// One random deed.
    func step() {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<5: make()
        case 5, 6: cancel()
        case 7: move { try $0.reset(after: $1) }
        case 8: move { try $0.delay(by: $1) }
        default: move { try $0.delay(by: .zero - $1) }
        }
        // One is the test's sleep.
        if reactor.delayedCallCount - expected.count > 1 { mistakes.append("count") }
    }

    private func delay() -> Duration { unit * Int.random(in: 0..<600, using: &generator) }

    private func make() {
        lastID += 1
        let id = lastID
        let call = reactor.callLater(delay()) { [unowned self] in fire(id) }
        calls[id] = call
        expect(id, at: call.deadline)
    }

    private func expect(_ id: Int, at deadline: ReactorInstant) {
        lastOrder += 1
        let index = expected.firstIndex { $0.deadline > deadline } ?? expected.endIndex
        expected.insert(Expected(deadline: deadline, order: lastOrder, id: id), at: index)
    }

    private func cancel() {
        guard let victim = expected.randomElement(using: &generator) else { return }
        expected.removeAll { $0.id == victim.id }
        do { try calls.removeValue(forKey: victim.id)!.cancel() } catch { mistakes.append("\(error)") }
    }

    private func move(_ body: (DelayedCall, Duration) throws -> Void) {
        guard let victim = expected.randomElement(using: &generator), let call = calls[victim.id] else {
            return
        }
        expected.removeAll { $0.id == victim.id }
        do { try body(call, delay()) } catch { mistakes.append("\(error)") }
        expect(victim.id, at: call.deadline)
    }

    private func fire(_ id: Int) {
        firedCount += 1
        let next = expected.isEmpty ? nil : expected.removeFirst()
        if next?.id != id { mistakes.append("\(id) ran instead of \(next.map(\.id) as Int?)") }
        if let next, next.deadline > reactor.now { mistakes.append("\(id) ran early") }
        if calls.removeValue(forKey: id)?.isActive != false { mistakes.append("\(id) is active") }
        if firedCount < 5_000, Bool.random(using: &generator) { for _ in 0..<2 { step() } }
    }
}
