import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct ParkingLineTests {
    @Test func latchThatOpensFailsOrGoesLeavesTheLine() async throws {
        try await withReactor { reactor in
            let line = ParkingLine()
            let latches = (0..<5).map { _ in Latch(on: reactor) }
            for latch in latches { line.append(latch) }
            do {
                let short = Latch(on: reactor)
                line.prepend(short)
                #expect(line.first === short && line.count == 6)
            }
            #expect(line.count == 5)
            latches[2].open()
            latches[0].open(throwing: CancellationError())
            latches[4].open()
            #expect(line.count == 2 && line.first === latches[1])
            #expect(line.popFirst() === latches[1] && latches[1].isPending)
            #expect(line.openFirst() && !latches[3].isPending)
            #expect(line.isEmpty && line.first == nil && !line.openFirst())
        }
    }

    @Test func cancelledTaskLeavesTheLineAtOnceAndTheRestKeepTheirOrder() async throws {
        try await withReactor { reactor in
            let line = ParkingLine()
            var order: [Int] = []
            let tasks = (0..<100).map { number in
                reactor.startTask { () -> Void in
                    let latch = Latch(on: reactor)
                    line.append(latch)
                    do {
                        try await latch.waitUntilOpen()
                        order.append(number)
                    } catch {}
                }
            }
            await reactor.yield()
            #expect(line.count == 100 && reactor.parkedLatches.count >= 100)
            for number in stride(from: 0, to: 100, by: 3) { tasks[number].cancel() }
            #expect(line.count == 66)
            #expect(line.openAll() == 66)
            for task in tasks { await task.value }
            #expect(order == (0..<100).filter { $0 % 3 != 0 })
        }
    }

    @Test func randomArrivalsAndDeparturesKeepTheOrder() async throws {
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor { reactor in
            var generator = SeededGenerator(seed: seed)
            let line = ParkingLine()
            var model: [Latch] = []
            var mistakes = 0
            for _ in 0..<20_000 {
                switch Int.random(in: 0..<5, using: &generator) {
                case 0, 1:
                    let latch = Latch(on: reactor)
                    line.append(latch)
                    model.append(latch)
                case 2:
                    let latch = Latch(on: reactor)
                    line.prepend(latch)
                    model.insert(latch, at: 0)
                case 3 where !model.isEmpty:
                    model.remove(at: .random(in: 0..<model.count, using: &generator)).open()
                default:
                    if line.popFirst() !== model.first { mistakes += 1 }
                    if !model.isEmpty { model.removeFirst() }
                }
                if line.count != model.count { mistakes += 1 }
            }
            #expect(mistakes == 0, "seed \(seed)")
        }
    }

    @Test func lineThatGoesLetsItsLatchesGo() async throws {
        try await withReactor { reactor in
            let latch = Latch(on: reactor)
            do {
                let line = ParkingLine()
                line.append(latch)
            }
            let other = ParkingLine()
            other.append(latch)
            #expect(other.first === latch)
        }
    }
}
