import Testing

@testable import ConnectionPools

/// Drives the machine through a long random history beside a server that obeys cancel requests late, early or not at all.
@Suite struct MultiplexInterleavingTests {
    struct World {
        var machine: MultiplexStateMachine<Int>
        var random: PoolWorld.Random
        var now = Duration.zero
        var names = 0
        /// Statements not sent yet, in the order in which they must go.
        var waiting: [Int] = []
        var tickets: [Int: MultiplexTicket] = [:]
        var opening: [MultiplexLine] = []
        /// What the server still has to answer, by line.
        var lines: [MultiplexLine: [Int]] = [:]
        /// Requests that have not hit anything yet.
        var requests: [MultiplexLine: Int] = [:]
        /// Requested and not settled, and what for.
        var cancelling: [MultiplexLine: Int] = [:]
        var abandoned: Set<Int> = []
        var finished: [Int: Int] = [:]
        var quick: Set<Int> = []
        var reran = 0
        /// Those that leave: nothing more is sent to them.
        var leaving: Set<MultiplexLine> = []

        init(seed: UInt64) {
            random = PoolWorld.Random(state: seed)
            machine = MultiplexStateMachine(
                limits: MultiplexLimits(
                    lines: Int.random(in: 1...4, using: &random), depth: Int.random(in: 1...6, using: &random)
                ))
        }

        var openLines: [MultiplexLine] { lines.keys.sorted { $0.serial < $1.serial } }

        mutating func finish(_ statement: Int) throws {
            finished[statement, default: 0] += 1
            try #require(finished[statement] == 1, "a caller hears once")
        }

        mutating func pump() throws {
            while let (statement, line) = machine.next(at: now) {
                try #require(waiting.first == statement, "first come, first sent")
                waiting.removeFirst()
                try #require(!leaving.contains(line), "a line that has given way is sent nothing")
                try #require(cancelling[line] == nil, "a line with a request under way is sent nothing")
                try #require(lines[line]!.count < machine.limits.depth)
                try #require(
                    lines[line]!.allSatisfy { quick.contains($0) }, "nothing is sent behind the unknown")
                for other in lines.values { try #require(!other.contains(statement)) }
                lines[line]!.append(statement)
            }
            while let line = machine.lineToOpen() { opening.append(line) }
        }

        mutating func answer(_ line: MultiplexLine) throws {
            guard let head = lines[line]?.first else { return }
            lines[line]!.removeFirst()
            let isHit = requests[line, default: 0] > 0 && Bool.random(using: &random)
            if isHit { requests[line]! -= 1 }
            let target = cancelling[line]
            switch machine.answered(line, isHit ? .cancelled : .answered, at: now).verdict {
            case .deliver(let statement):
                try #require(statement == head && !abandoned.contains(head))
                try #require(!isHit || target == head, "a stray request is nobody's business")
                try finish(head)
            case .drop(let statement): try #require(statement == head && abandoned.contains(head))
            case .rerun(let statement):
                try #require(statement == head && isHit && target != head && !abandoned.contains(head))
                waiting.insert(head, at: 0)
                reran += 1
            }
            try release(line)
        }

        mutating func release(_ line: MultiplexLine) throws {
            guard machine.takeRelease(line) else { return }
            try #require(lines.removeValue(forKey: line) == [] && cancelling[line] == nil)
            requests[line] = nil
        }

        mutating func step() throws {
            now += .milliseconds(1)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30:
                names += 1
                let isQuick = Int.random(in: 0..<4, using: &random) > 0
                if isQuick { quick.insert(names) }
                waiting.append(names)
                tickets[names] = machine.submit(names, isQuick: isQuick, at: now)
            case 30..<40:
                guard !opening.isEmpty else { return }
                let line = opening.removeFirst()
                if Int.random(in: 0..<8, using: &random) > 0 {
                    try #require(machine.lineOpened(line, at: now) == true)
                    lines[line] = []
                } else if Bool.random(using: &random) {
                    machine.lineMissed(line)
                } else {
                    for statement in machine.lineFailed(line) { try finish(statement) }
                    if lines.isEmpty && opening.isEmpty { waiting.removeAll() }
                }
            case 40..<75:
                if let line = openLines.randomElement(using: &random) { try answer(line) }
            case 75..<85: try cancel()
            case 85..<92:
                // The request returns; what it hit it has hit, by now.
                for line in openLines where machine.isCancelToSettle(line) {
                    machine.cancelSettled(line)
                    requests[line] = nil
                    cancelling[line] = nil
                    try release(line)
                }
            case 92..<94:
                guard let line = openLines.randomElement(using: &random) else { return }
                let sent = lines.removeValue(forKey: line)!
                let unsent = Int.random(in: 0...1, using: &random)
                let kept = sent.suffix(unsent).filter { !abandoned.contains($0) }
                let lost = machine.lineLost(line, unsent: unsent)
                try #require(lost == sent.dropLast(unsent).filter { !abandoned.contains($0) })
                for statement in lost { try finish(statement) }
                waiting.insert(contentsOf: kept, at: 0)
                (requests[line], cancelling[line]) = (nil, nil)
            case 94..<96: try giveWay()
            case 96: try giveUpAll()
            default: try tick()
            }
            try pump()
            try #require(machine.waiting == waiting.count)
            try #require(machine.outstanding == lines.values.reduce(0) { $0 + $1.count })
            let isMoving = !opening.isEmpty || lines.values.contains { !$0.isEmpty } || !cancelling.isEmpty
            try #require(waiting.isEmpty || isMoving, "while anybody waits something is going on")
        }

        mutating func giveWay() throws {
            let waiters = Int.random(in: 1...3, using: &random)
            let before = lines.count
            for line in machine.giveWay(to: waiters) {
                try #require(lines.removeValue(forKey: line) == [] && cancelling[line] == nil)
            }
            let left = before - lines.count
            let staying = openLines.filter { machine.lines[$0.index].phase == .open }
            leaving = Set(openLines).subtracting(staying)
            try #require(left + leaving.count >= min(waiters, before), "as many leave as there are waiters")
        }

        mutating func giveUpAll() throws {
            for line in machine.giveUpAll() {
                try #require(lines.removeValue(forKey: line) == [] && cancelling[line] == nil)
            }
            leaving = Set(openLines)
        }

        mutating func cancel() throws {
            let known = tickets.keys.filter { finished[$0] == nil && !abandoned.contains($0) }.sorted()
            guard let name = known.randomElement(using: &random), let ticket = tickets[name] else { return }
            switch machine.cancel(ticket) {
            case .removed:
                try #require(waiting.contains(name))
                waiting.removeAll { $0 == name }
                try finish(name)
            case .abandoned:
                try #require(lines.values.contains { $0.contains(name) })
                abandoned.insert(name)
                try finish(name)
            case .request(let line):
                try #require(lines[line]?.first == name && cancelling[line] == nil)
                cancelling[line] = name
                requests[line, default: 0] += 1
            case .requested: try #require(cancelling.values.contains(name))
            case .over: Issue.record("a statement without an outcome is unknown")
            }
        }

        mutating func tick() throws {
            let tick = machine.tick(
                at: now, patience: .milliseconds(400),
                areOthersWaiting: Int.random(in: 0..<10, using: &random) == 0)
            for statement in tick.expired {
                try #require(waiting.first == statement)
                waiting.removeFirst()
                try finish(statement)
            }
            for line in tick.requests {
                try #require(abandoned.contains(lines[line]!.first!) && cancelling[line] == nil)
                cancelling[line] = lines[line]!.first!
                requests[line, default: 0] += 1
            }
            for line in tick.released {
                try #require(lines.removeValue(forKey: line) == [] && cancelling[line] == nil)
            }
        }
    }

    @Test func promisesHoldThroughRandomHistories() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("MultiplexInterleavingTests seed \(seed)")
        var reran = 0
        for history in 0..<100 {
            var world = World(seed: seed &+ UInt64(history))
            for _ in 0..<800 { try world.step() }
            reran += world.reran
        }
        #expect(reran > 10, "no request ever went astray: the histories are too tame")
    }
}
