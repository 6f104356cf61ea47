import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct GreenletGroupTests {
    private struct Oops: Error, Equatable {}

    @Test func membersLeaveAsTheyEnd() async throws {
        try await withReactor { _ in
            let group = GreenletGroup()
            let gate = Event()
            let first = group.spawn { () async throws -> Void in try await gate.wait() }
            let second = group.spawn { () throws -> Int in 2 }
            #expect(group.count == 2 && group.contains(first) && group.contains(second))
            #expect(group.members.map(\.id) == [first.id, second.id])
            let two = try await second.get()
            #expect(two == 2 && group.count == 1 && !group.contains(second))
            gate.set()
            let isEmpty = try await group.join()
            #expect(isEmpty && group.isEmpty)
        }
    }

    @Test func joinIsFalseWhenTheTimeIsOver() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let group = GreenletGroup()
            group.spawn { () throws -> Void in try Greenlet.sleep(for: .seconds(10)) }
            let isEmpty = try await group.join(timeout: .seconds(1))
            let isEmptyInFiber = try await Greenlet.spawn { () throws -> Bool in
                try group.join(timeout: .seconds(1))
            }.get()
            let isEmptyLater = try await group.join(timeout: .seconds(10))
            #expect(!isEmpty && !isEmptyInFiber && isEmptyLater)
        }
    }

    @Test func joinThrowsAMembersErrorIfAsked() async throws {
        try await withReactor { reactor in
            let reports = IntLog()
            reactor.onUncaughtError = { _, _ in reports.numbers.append(1) }
            let group = GreenletGroup()
            group.spawn { () async throws -> Void in await Greenlet.yield() }
            group.spawn { () throws -> Void in throw Oops() }
            await #expect(throws: Oops()) { try await group.join(throwingErrors: true) }
            // Being in a group is not being waited for.
            #expect(reports.numbers == [1])
        }
    }

    @Test func runningGreenletsCanBeAddedAndEndedOnesCannot() async throws {
        try await withReactor { _ in
            let group = GreenletGroup()
            let other = GreenletGroup()
            let gate = Event()
            let greenlet = Greenlet.spawn { () async throws -> Void in try await gate.wait() }
            #expect(group.add(greenlet) && other.add(greenlet) && !group.add(greenlet))
            #expect(group.discard(greenlet) && !group.discard(greenlet) && other.contains(greenlet))
            gate.set()
            try await greenlet.get()
            #expect(other.isEmpty && !group.add(greenlet) && group.isEmpty)
        }
    }

    @Test(arguments: [false, true])
    func killEndsAllAndThoseThatComeMeanwhile(isSync: Bool) async throws {
        try await withReactor { _ in
            let group = GreenletGroup()
            let log = IntLog()
            for number in 0..<10 {
                group.spawn { () async throws -> Void in
                    defer {
                        log.numbers.append(number)
                        // Never begins.
                        if number == 3 { group.spawn { () throws -> Void in log.numbers.append(-1) } }
                    }
                    try await Greenlet.sleep(for: .seconds(60))
                }
            }
            await Greenlet.yield()
            group.spawn { () throws -> Void in log.numbers.append(-2) }
            let isOver =
                isSync
                ? try await Greenlet.spawn { () throws -> Bool in
                    // The last one spawned begins first.
                    try group.kill()
                }.get()
                : try await group.kill()
            #expect(isOver && group.isEmpty && log.numbers.filter { $0 >= 0 }.sorted() == Array(0..<10))
            #expect(!log.numbers.contains(-1) && log.numbers.contains(-2) == isSync)
        }
    }

    @Test func killGivesUpAfterItsTime() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let group = GreenletGroup()
            let stubborn = group.spawn { () async throws -> Int in
                try await withCancellationShield { try await Greenlet.sleep(for: .seconds(10)) }
                return 1
            }
            await Greenlet.yield()
            let isOver = try await group.kill(timeout: .seconds(1))
            #expect(!isOver && group.count == 1)
            let value = try await stubborn.get()
            #expect(value == 1)
        }
    }

    @Test func memberThatKillsItsGroupDoesNotWaitForItself() async throws {
        try await withReactor { _ in
            let group = GreenletGroup()
            group.spawn { () async throws -> Void in try await Greenlet.sleep(for: .seconds(60)) }
            let killer = group.spawn { () throws -> Bool in try group.kill() }
            let isOver = try await killer.get()
            try await group.join()
            #expect(!isOver && group.isEmpty)
        }
    }

    @Test func thousandsComeAndGo() async throws {
        try await withReactor { _ in
            let group = GreenletGroup()
            let gate = Event()
            for _ in 0..<10_000 { group.spawn { () async throws -> Void in try await gate.wait() } }
            let joiners = (0..<100).map { _ in
                Greenlet.spawn { () async throws -> Bool in try await group.join() }
            }
            await Greenlet.yield()
            #expect(group.count == 10_000)
            gate.set()
            for joiner in joiners {
                let isEmpty = try await joiner.get()
                #expect(isEmpty)
            }
        }
    }
}
