import Testing

@testable import ConnectionPools

@Suite struct MultiplexStateMachineTests {
    typealias Machine = MultiplexStateMachine<Int>

    /// A machine with its lines open.
    func machine(lines: Int = 1, depth: Int = 4) -> (Machine, [MultiplexLine]) {
        var machine = Machine(limits: MultiplexLimits(lines: lines, depth: depth))
        var open: [MultiplexLine] = []
        for _ in 0..<lines {
            // Nobody wants a line until somebody waits.
            let ticket = machine.submit(-1, isQuick: true, at: .zero)
            if let line = machine.lineToOpen(), machine.lineOpened(line, at: .zero) { open.append(line) }
            _ = machine.cancel(ticket)
        }
        return (machine, open)
    }

    func sent(_ machine: inout Machine, at now: Duration = .zero) -> [Int] {
        var all: [Int] = []
        while let (statement, _) = machine.next(at: now) { all.append(statement) }
        return all
    }

    func isDelivered(_ verdict: MultiplexVerdict<Int>, _ statement: Int) -> Bool {
        if case .deliver(statement) = verdict { true } else { false }
    }

    @Test func statementsGoInOrderToTheLineWithTheLeastOutstanding() {
        var (machine, lines) = machine(lines: 2)
        for statement in 1...5 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine) == [1, 2, 3, 4, 5])
        #expect(machine.outstanding(on: lines[0]) == 3 && machine.outstanding(on: lines[1]) == 2)
    }

    @Test func noMoreThanTheDepthIsSent() {
        var (machine, lines) = machine(depth: 3)
        for statement in 1...5 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine) == [1, 2, 3] && machine.waiting == 2)
        #expect(isDelivered(machine.answered(lines[0], .answered, at: .zero).verdict, 1))
        #expect(sent(&machine) == [4])
    }

    @Test func nothingIsSentBehindAnUnknownStatementUntilItIsAnswered() {
        var (machine, lines) = machine()
        _ = machine.submit(1, isQuick: true, at: .zero)
        _ = machine.submit(2, isQuick: false, at: .zero)
        _ = machine.submit(3, isQuick: true, at: .zero)
        #expect(sent(&machine) == [1, 2])
        _ = machine.answered(lines[0], .answered, at: .zero)
        #expect(sent(&machine).isEmpty)
        _ = machine.answered(lines[0], .answered, at: .zero)
        #expect(sent(&machine) == [3])
    }

    @Test func aLineWhoseHeadIsSlowGetsNoMore() {
        var (machine, lines) = machine(lines: 2)
        for statement in 1...2 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine) == [1, 2])
        _ = machine.answered(lines[1], .answered, at: .milliseconds(1))
        _ = machine.tick(at: .milliseconds(11), patience: .seconds(1), areOthersWaiting: false)
        for statement in 3...4 { _ = machine.submit(statement, isQuick: true, at: .milliseconds(11)) }
        #expect(sent(&machine, at: .milliseconds(11)) == [3, 4] && machine.outstanding(on: lines[0]) == 1)
        let answer = machine.answered(lines[0], .answered, at: .milliseconds(12))
        #expect(answer.duration == .milliseconds(12))
        _ = machine.submit(5, isQuick: true, at: .milliseconds(12))
        #expect(sent(&machine, at: .milliseconds(12)) == [5] && machine.outstanding(on: lines[0]) == 1)
    }

    @Test func whatIsNotSentIsJustRemoved() {
        var (machine, _) = machine(depth: 1)
        _ = machine.submit(1, isQuick: true, at: .zero)
        let second = machine.submit(2, isQuick: true, at: .zero)
        #expect(sent(&machine) == [1])
        #expect(machine.cancel(second) == .removed && machine.cancel(second) == .over && machine.waiting == 0)
    }

    @Test func whatIsSentBehindOthersIsAbandonedWithoutARequest() {
        var (machine, lines) = machine()
        _ = machine.submit(1, isQuick: true, at: .zero)
        let second = machine.submit(2, isQuick: true, at: .zero)
        #expect(sent(&machine) == [1, 2])
        #expect(machine.cancel(second) == .abandoned)
        #expect(isDelivered(machine.answered(lines[0], .answered, at: .zero).verdict, 1))
        guard case .drop(2) = machine.answered(lines[0], .answered, at: .zero).verdict else {
            return #expect(Bool(false))
        }
    }

    @Test func anAbandonedStatementThatRunsLongIsCancelled() {
        var (machine, lines) = machine()
        _ = machine.submit(1, isQuick: true, at: .zero)
        let second = machine.submit(2, isQuick: true, at: .zero)
        #expect(sent(&machine) == [1, 2] && machine.cancel(second) == .abandoned)
        _ = machine.answered(lines[0], .answered, at: .milliseconds(5))
        #expect(
            machine.tick(at: .milliseconds(9), patience: .seconds(1), areOthersWaiting: false).requests
                .isEmpty)
        let tick = machine.tick(at: .milliseconds(15), patience: .seconds(1), areOthersWaiting: false)
        #expect(tick.requests == lines)
    }

    @Test func aRequestHoldsTheLineUntilItIsSettledAndAllIsAnswered() {
        var (machine, lines) = machine()
        let first = machine.submit(1, isQuick: true, at: .zero)
        _ = machine.submit(2, isQuick: true, at: .zero)
        #expect(sent(&machine) == [1, 2])
        #expect(machine.cancel(first) == .request(lines[0]) && machine.cancel(first) == .requested)
        _ = machine.submit(3, isQuick: true, at: .zero)
        #expect(sent(&machine).isEmpty)
        #expect(isDelivered(machine.answered(lines[0], .cancelled, at: .zero).verdict, 1))
        #expect(machine.isCancelToSettle(lines[0]))
        machine.cancelSettled(lines[0])
        #expect(sent(&machine).isEmpty)
        #expect(isDelivered(machine.answered(lines[0], .answered, at: .zero).verdict, 2))
        #expect(sent(&machine) == [3])
    }

    @Test func aVictimOfAStrayRequestGoesOutAgainFirst() {
        var (machine, lines) = machine()
        let first = machine.submit(1, isQuick: true, at: .zero)
        for statement in 2...3 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine) == [1, 2, 3] && machine.cancel(first) == .request(lines[0]))
        _ = machine.submit(4, isQuick: true, at: .zero)
        // The first was done before the request came, which hits the second.
        #expect(isDelivered(machine.answered(lines[0], .answered, at: .zero).verdict, 1))
        guard case .rerun(2) = machine.answered(lines[0], .cancelled, at: .zero).verdict else {
            return #expect(Bool(false))
        }
        #expect(isDelivered(machine.answered(lines[0], .answered, at: .zero).verdict, 3))
        #expect(sent(&machine).isEmpty)
        machine.cancelSettled(lines[0])
        #expect(sent(&machine) == [2, 4])
    }

    @Test func aVictimWhoseCallerLeavesMeanwhileGoesNowhere() {
        var (machine, lines) = machine()
        let first = machine.submit(1, isQuick: true, at: .zero)
        let second = machine.submit(2, isQuick: true, at: .zero)
        #expect(sent(&machine) == [1, 2] && machine.cancel(first) == .request(lines[0]))
        _ = machine.answered(lines[0], .answered, at: .zero)
        _ = machine.answered(lines[0], .cancelled, at: .zero)
        #expect(machine.cancel(second) == .removed && machine.waiting == 0)
    }

    /// A server's own time limit cancels too.
    @Test func aCancelledStatementIsDeliveredWhenNobodyHasAskedTheServer() {
        var (machine, lines) = machine()
        _ = machine.submit(1, isQuick: true, at: .zero)
        #expect(sent(&machine) == [1])
        #expect(isDelivered(machine.answered(lines[0], .cancelled, at: .zero).verdict, 1))
    }

    @Test func aLostLineFailsWhatItWasSentAndGivesBackWhatItWasNot() {
        var (machine, lines) = machine()
        for statement in 1...3 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine) == [1, 2, 3])
        _ = machine.submit(4, isQuick: true, at: .zero)
        #expect(machine.lineLost(lines[0], unsent: 1) == [1, 2])
        guard let line = machine.lineToOpen(), machine.lineOpened(line, at: .zero) else {
            return #expect(Bool(false))
        }
        #expect(sent(&machine) == [3, 4])
        #expect(machine.lineLost(lines[0]).isEmpty, "an outdated name means nothing")
    }

    @Test func oneLineAtATimeIsOpenedAndOnlyWhenTheOthersAreBusy() {
        var machine = Machine(limits: MultiplexLimits(lines: 3, depth: 8))
        #expect(machine.lineToOpen() == nil)
        _ = machine.submit(1, isQuick: true, at: .zero)
        guard let first = machine.lineToOpen() else { return #expect(Bool(false)) }
        #expect(machine.lineToOpen() == nil && machine.lineOpened(first, at: .zero))
        #expect(sent(&machine) == [1] && machine.lineToOpen() == nil)
        for statement in 2...3 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine) == [2, 3] && machine.lineToOpen() != nil)
    }

    @Test func aLineThatCannotBeHadFailsThoseThatHaveNoOther() {
        var machine = Machine(limits: MultiplexLimits(lines: 2))
        for statement in 1...2 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        guard let line = machine.lineToOpen() else { return #expect(Bool(false)) }
        #expect(machine.lineFailed(line) == [1, 2] && machine.waiting == 0)
    }

    @Test func idleLinesGoAndBusyOnesAfterTheirTenure() {
        var (machine, lines) = machine(lines: 2)
        _ = machine.submit(1, isQuick: true, at: .milliseconds(90))
        #expect(sent(&machine, at: .milliseconds(90)) == [1])
        let tick = machine.tick(at: .milliseconds(100), patience: .seconds(1), areOthersWaiting: false)
        #expect(tick.released == [lines[1]] && machine.open == 1)
        let late = machine.tick(at: .seconds(30), patience: .seconds(60), areOthersWaiting: false)
        #expect(late.released.isEmpty && !machine.takeRelease(lines[0]))
        _ = machine.answered(lines[0], .answered, at: .seconds(30))
        #expect(machine.takeRelease(lines[0]) && machine.open == 0)
    }

    @Test func oneLineIsGivenUpForThoseWhoNeedAConnectionOfTheirOwn() {
        var (machine, lines) = machine(lines: 2)
        for statement in 1...2 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine) == [1, 2])
        _ = machine.tick(at: .milliseconds(1), patience: .seconds(1), areOthersWaiting: true)
        _ = machine.tick(at: .milliseconds(2), patience: .seconds(1), areOthersWaiting: true)
        for line in lines { _ = machine.answered(line, .answered, at: .milliseconds(3)) }
        #expect(machine.takeRelease(lines[0]) && !machine.takeRelease(lines[1]))
    }

    @Test func asManyLinesGiveWayAsThereAreWaitersThoseWithTheLeastToDoFirst() {
        var (machine, lines) = machine(lines: 3)
        for statement in 1...5 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine).count == 5)
        for _ in 1...2 { _ = machine.answered(lines[1], .answered, at: .zero) }
        #expect(machine.giveWay(to: 1) == [lines[1]] && machine.open == 2)
        #expect(machine.giveWay(to: 1).isEmpty && machine.room == 2, "the one with one outstanding leaves")
        #expect(machine.giveWay(to: 1).isEmpty && machine.room == 2, "one leaves already")
        _ = machine.submit(6, isQuick: true, at: .zero)
        #expect(sent(&machine) == [6] && machine.outstanding(on: lines[0]) == 3)
        _ = machine.answered(lines[2], .answered, at: .zero)
        #expect(machine.takeRelease(lines[2]) && !machine.takeRelease(lines[0]))
    }

    @Test func whenAllAreGivenUpNothingMoreIsSentAndWhatWaitsWantsANewLine() {
        var (machine, lines) = machine(lines: 3)
        for statement in 1...2 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine) == [1, 2])
        let gone = machine.giveUpAll()
        #expect(gone == [lines[2]] && machine.open == 2 && machine.givenWay == 0)
        let again = machine.giveUpAll()
        #expect(again.isEmpty)
        _ = machine.submit(3, isQuick: true, at: .zero)
        let next = machine.lineToOpen()
        #expect(sent(&machine).isEmpty && next != nil)
        for line in lines[..<2] {
            _ = machine.answered(line, .answered, at: .zero)
            let isGone = machine.takeRelease(line)
            #expect(isGone)
        }
        #expect(machine.open == 0 && machine.waiting == 1)
    }

    @Test func aSlowLineGivesWayLast() {
        var (machine, lines) = machine(lines: 2)
        for statement in 1...3 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine).count == 3)
        _ = machine.answered(lines[0], .answered, at: .milliseconds(9))
        _ = machine.tick(at: .milliseconds(12), patience: .seconds(1), areOthersWaiting: false)
        _ = machine.submit(4, isQuick: true, at: .milliseconds(12))
        #expect(sent(&machine, at: .milliseconds(12)) == [4])
        #expect(machine.giveWay(to: 1).isEmpty)
        for _ in 0..<2 { _ = machine.answered(lines[0], .answered, at: .milliseconds(13)) }
        #expect(
            machine.takeRelease(lines[0]) == true,
            "the slow one had less outstanding, and keeps its connection")
    }

    @Test func aLineThatWasMissedIsWantedAgainAndFailsNobody() {
        var machine = Machine(limits: MultiplexLimits(lines: 1))
        _ = machine.submit(1, isQuick: true, at: .zero)
        guard let first = machine.lineToOpen() else { return #expect(Bool(false)) }
        machine.lineMissed(first)
        #expect(machine.waiting == 1)
        guard let second = machine.lineToOpen() else { return #expect(Bool(false)) }
        #expect(second != first && machine.lineOpened(second, at: .zero) && sent(&machine) == [1])
    }

    @Test func withoutSpreadingALineIsOpenedOnlyForWhatFindsNoRoom() {
        var machine = Machine(limits: MultiplexLimits(lines: 2, depth: 3, spreadAt: .max))
        for statement in 1...3 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        guard let first = machine.lineToOpen() else { return #expect(Bool(false)) }
        #expect(machine.lineOpened(first, at: .zero) && machine.room == 3)
        #expect(sent(&machine) == [1, 2, 3] && machine.lineToOpen() == nil && machine.room == 0)
        _ = machine.submit(4, isQuick: true, at: .zero)
        #expect(sent(&machine).isEmpty && machine.lineToOpen() != nil)
    }

    @Test func whoWaitsForTooLongIsSentAway() {
        var (machine, _) = machine(depth: 1)
        for statement in 1...3 { _ = machine.submit(statement, isQuick: true, at: .milliseconds(statement)) }
        #expect(sent(&machine) == [1])
        let tick = machine.tick(at: .milliseconds(12), patience: .milliseconds(10), areOthersWaiting: false)
        #expect(tick.expired == [2] && machine.waiting == 1)
    }

    @Test func aClosedMachineFinishesWhatItSent() {
        var (machine, lines) = machine(depth: 1)
        for statement in 1...2 { _ = machine.submit(statement, isQuick: true, at: .zero) }
        #expect(sent(&machine) == [1])
        #expect(machine.close() == [2] && machine.lineToOpen() == nil && !machine.takeRelease(lines[0]))
        #expect(isDelivered(machine.answered(lines[0], .answered, at: .zero).verdict, 1))
        #expect(machine.takeRelease(lines[0]) == true)
    }

    @Test func aStaleStatementGoesOutAgain() {
        var (machine, lines) = machine()
        _ = machine.submit(1, isQuick: true, at: .zero)
        #expect(sent(&machine) == [1])
        guard case .rerun(1) = machine.answered(lines[0], .stale, at: .zero).verdict else {
            return #expect(Bool(false))
        }
        #expect(sent(&machine) == [1])
    }
}
