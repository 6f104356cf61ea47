import ReactorTesting
import Testing

@testable import ReactorCore

/// What timers make ready: it runs right after them.
@Suite(.everyBackend) struct DueJobsTests {
    @Test func taskThatATimerWakesGoesBeforeWhatIsReady() async throws {
        try await withReactor { reactor in
            let steps = Steps()
            for _ in 0..<300 {
                steps.pending += 1
                _ = reactor.startTask {
                    while !steps.isOver {
                        work(for: 300_000)
                        steps.count += 1
                        await reactor.yield()
                    }
                    steps.pending -= 1
                }
            }
            for _ in 0..<3 {
                var due = 0
                reactor.callLater(.milliseconds(5)) { due = steps.count }
                try await reactor.sleep(for: .milliseconds(5))
                #expect(steps.count - due <= 20, "a turn's worth at most, not one of each")
            }
            steps.isOver = true
            while steps.pending > 0 { await reactor.yield() }
        }
    }

    @Test func tasksThatTimersWakeGoOnInTheOrderOfTheirDeadlines() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            let order = Steps()
            let tasks = (0..<1000).map { number in
                reactor.startTask {
                    try? await reactor.sleep(for: .seconds(1 + number / 10))
                    work(for: 20_000)  // a turn does not come to the last
                    order.numbers.append(number)
                    await reactor.yield()
                    order.numbers.append(1000 + number)
                }
            }
            await reactor.yield()
            clock.advance(by: .seconds(200))
            for task in tasks { await task.value }
            #expect(order.numbers.filter { $0 < 1000 } == Array(0..<1000))
            #expect(order.numbers.filter { $0 >= 1000 } == Array(1000..<2000))
        }
    }
}

@ReactorActor private final class Steps {
    var count = 0
    var pending = 0
    var isOver = false
    var numbers: [Int] = []
}
