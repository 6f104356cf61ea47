import ReactorTesting
import Testing

@testable import ReactorCore

private typealias Machine = ThreadPoolStateMachine<Int>

@Suite struct ThreadPoolStateMachineTests {
    @Test func firstWorkStartsAThreadAndTheLimitIsKept() {
        var machine = Machine(limit: 2)
        #expect(machine.threads == 0)
        let starts = (0..<4).map { machine.submit($0)?.1.starts }
        #expect(starts == [1, 1, 0, 0])
        #expect(machine.threads == 2 && machine.queuedCount == 4)
    }

    @Test func idleWorkerIsWokenInsteadOfAThreadStarted() {
        var machine = Machine(limit: 2)
        _ = machine.submit(1)
        #expect(run(&machine) == 1)
        machine.workEnded()
        #expect(waits(&machine))
        machine.waitBegan()
        #expect(machine.submit(2)?.1 == Machine.Action(starts: 0, wakes: 1))
        // The one that was woken has not looked yet; the next piece of work needs another.
        #expect(machine.submit(3)?.1 == Machine.Action(starts: 1, wakes: 1))
    }

    @Test func workStartsInTheOrderItCameExceptWhatWasTakenBack() {
        var machine = Machine(limit: 1)
        let tickets = (0..<4).compactMap { machine.submit($0)?.0 }
        #expect(machine.cancel(tickets[1]) == 1)
        #expect(machine.cancel(tickets[1]) == nil, "it is gone")
        #expect((0..<3).map { _ in run(&machine) } == [0, 2, 3])
        #expect(machine.cancel(tickets[0]) == nil, "it has begun")
        #expect(machine.cancelled == 1)
    }

    @Test func takenBackTicketsDoNotPileUp() {
        var machine = Machine(limit: 1)
        let kept = machine.submit(-1)
        for number in 0..<100_000 {
            guard let (ticket, _) = machine.submit(number) else { break }
            _ = machine.cancel(ticket)
        }
        #expect(machine.orderCount <= 65)
        #expect(kept != nil && run(&machine) == -1)
    }

    @Test func heldPoolStartsItsThreadsAtTheStart() {  // S42
        var machine = Machine(limit: 2, isHeld: true)
        for number in 0..<3 { #expect(machine.submit(number)?.1 == Machine.Action()) }
        #expect(machine.adjust(limit: 4) == Machine.Action())
        #expect(machine.start() == Machine.Action(starts: 3, wakes: 0))
    }

    @Test func stoppedPoolDrainsThenEndsOnce() {
        var machine = Machine(limit: 2)
        _ = machine.submit(1)
        _ = machine.submit(2)
        _ = machine.stop()
        #expect(machine.submit(3) == nil)
        #expect(run(&machine) == 1 && run(&machine) == 2)
        machine.workEnded()
        #expect(!machine.hasEnded)
        #expect(end(&machine) == false)
        machine.workEnded()
        #expect(end(&machine) == true)
        #expect(machine.hasEnded)
    }

    @Test func loweredLimitEndsIdleWorkersAndRaisedOneServesTheQueue() {
        var machine = Machine(limit: 3)
        for number in 0..<3 { _ = machine.submit(number) }
        for _ in 0..<3 { #expect(run(&machine) != nil) }
        for _ in 0..<2 {
            machine.workEnded()
            #expect(waits(&machine))
            machine.waitBegan()
        }
        #expect(machine.adjust(limit: 1) == Machine.Action(starts: 0, wakes: 2))
        for _ in 0..<2 {
            machine.waitEnded()
            #expect(end(&machine) == false)
        }
        for number in 0..<5 { _ = machine.submit(number) }
        #expect(machine.adjust(limit: 4) == Machine.Action(starts: 3, wakes: 0))
    }

    @Test func idleWorkerEndsWhenItsTimeIsOverButNotWithWorkInTheQueue() {
        var machine = Machine(limit: 1)
        _ = machine.submit(1)
        _ = run(&machine)
        machine.workEnded()
        _ = machine.submit(2)
        #expect(run(&machine, timedOut: true) == 2)
        machine.workEnded()
        #expect(end(&machine, timedOut: true) == false, "not stopped, so it is nobody's last")
        #expect(machine.threads == 0)
    }

    /// Whatever happens in whatever order: bounds are kept, nothing is lost, nothing runs twice, and no work waits while a
    /// worker sleeps that nobody has woken.
    @Test func randomEventsKeepTheInvariants() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        var machine = Machine(limit: 3)
        var model = Model()
        for step in 0..<20_000 {
            model.step(&machine, &generator, number: step)
            if let problem = model.problem(machine) {
                Issue.record("\(problem) (seed \(seed), step \(step))")
                return
            }
        }
        model.finish(&machine)
        #expect(machine.hasEnded && machine.queuedCount == 0, "seed \(seed)")
        #expect(model.outcomes.values.allSatisfy { $0 == 1 }, "seed \(seed)")
    }
}

/// Workers as counts: those that were woken or started and must ask next, those that sleep, those that run.
private struct Model {
    var awake = 0
    var asleep = 0
    var busy: [Int] = []
    var tickets: [Machine.Ticket] = []
    var outcomes: [Int: Int] = [:]

    mutating func perform(_ action: Machine.Action, _ machine: inout Machine) {
        awake += action.starts
        for _ in 0..<min(action.wakes, asleep) { wakeOne(&machine) }
    }

    private mutating func wakeOne(_ machine: inout Machine) {
        asleep -= 1
        awake += 1
        // A woken worker counts as idle until it has the lock again: the shell tells the machine in `ask`.
        pendingWakeUps += 1
    }
    private var pendingWakeUps = 0

    mutating func ask(_ machine: inout Machine, timedOut: Bool = false) {
        if pendingWakeUps > 0 {
            pendingWakeUps -= 1
            machine.waitEnded()
        }
        awake -= 1
        switch machine.next(timedOut: timedOut) {
        case .run(let number): busy.append(number)
        case .wait:
            machine.waitBegan()
            asleep += 1
        case .end(_, let action): perform(action, &machine)
        }
    }

    mutating func step(_ machine: inout Machine, _ generator: inout SeededGenerator, number: Int) {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<3:
            guard let (ticket, action) = machine.submit(number) else { return }
            tickets.append(ticket)
            outcomes[number] = 0
            perform(action, &machine)
        case 3:
            guard let ticket = tickets.randomElement(using: &generator) else { return }
            if let number = machine.cancel(ticket) { outcomes[number, default: 0] += 1 }
        case 4: perform(machine.adjust(limit: Int.random(in: 1...6, using: &generator)), &machine)
        case 5 where asleep > 0 && pendingWakeUps == 0:
            wakeOne(&machine)  // its idle time is over
            ask(&machine, timedOut: true)
        case 6..<8 where !busy.isEmpty:
            let index = Int.random(in: 0..<busy.count, using: &generator)
            outcomes[busy.remove(at: index), default: 0] += 1
            machine.workEnded()
            awake += 1
        default:
            if awake > 0 { ask(&machine) }
        }
    }

    mutating func finish(_ machine: inout Machine) {
        perform(machine.stop(), &machine)
        while awake > 0 || !busy.isEmpty {
            if let number = busy.popLast() {
                outcomes[number, default: 0] += 1
                machine.workEnded()
                awake += 1
            }
            if awake > 0 { ask(&machine) }
        }
    }

    func problem(_ machine: Machine) -> String? {
        if machine.threads != awake + asleep + busy.count { return "threads are miscounted" }
        if machine.working != busy.count { return "working ones are miscounted" }
        if machine.queuedCount > 0, awake == 0, asleep > 0, busy.isEmpty { return "work waits, all sleep" }
        if machine.queuedCount > 0, machine.threads == 0 { return "work waits, nobody lives" }
        return nil
    }
}

private func run(_ machine: inout Machine, timedOut: Bool = false) -> Int? {
    if case .run(let work) = machine.next(timedOut: timedOut) { return work }
    return nil
}

private func waits(_ machine: inout Machine) -> Bool {
    if case .wait = machine.next(timedOut: false) { return true }
    return false
}

private func end(_ machine: inout Machine, timedOut: Bool = false) -> Bool? {
    if case .end(let isLast, _) = machine.next(timedOut: timedOut) { return isLast }
    return nil
}
