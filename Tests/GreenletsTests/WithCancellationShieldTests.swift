import ReactorCore
import ReactorTesting
import Testing

@testable import Greenlets

@Suite struct WithCancellationShieldTests {
    @Test func killedAsyncGreenletFinishesWhatIsShielded() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            var steps: [String] = []
            let greenlet = Greenlet.spawn { () async throws in
                try await withCancellationShield {
                    try await Greenlet.sleep(for: .seconds(2))
                    steps.append("inside")
                }
                steps.append("after")
                try await Greenlet.sleep(for: .seconds(2))
                steps.append("not reached")
            }
            try await Greenlet.sleep(for: .seconds(1))
            try await greenlet.kill()
            #expect(steps == ["inside", "after"])
            #expect(greenlet.failure is GreenletExit)
        }
    }

    @Test func killedFiberFinishesWhatIsShielded() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            var steps: [String] = []
            let greenlet = Greenlet.spawn {
                try withCancellationShield {
                    try Greenlet.sleep(for: .seconds(2))
                    try Greenlet.yield()
                    try Greenlet.blockingCall { try await Reactor.current.sleep(for: .seconds(2)) }
                    steps.append("inside")
                }
                steps.append("after")
                try Greenlet.sleep(for: .seconds(2))
                steps.append("not reached")
            }
            try await Greenlet.sleep(for: .seconds(1))
            try await greenlet.kill()
            #expect(steps == ["inside", "after"])
            #expect(greenlet.failure is GreenletExit)
        }
    }

    @Test func timeoutAroundAShieldWaitsAndOneInsideDoesNot() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let steps = try await Greenlet.spawn { () throws -> [String] in
                var steps: [String] = []
                do {
                    try withTimeout(.seconds(1)) {
                        try withCancellationShield {
                            try Greenlet.sleep(for: .seconds(2))
                            steps.append("slept")
                            _ = try withTimeout(.seconds(1), default: ()) {
                                try Greenlet.sleep(for: .seconds(60))
                            }
                            steps.append("cut short")
                        }
                        try Greenlet.yield()
                        steps.append("not reached")
                    }
                } catch is TimeoutError { steps.append("over") }
                return steps
            }.get()
            #expect(steps == ["slept", "cut short", "over"])
        }
    }

    @Test func killBeforeTheShieldLetsItRunToo() async throws {
        try await withReactor { _ in
            var isDone = false
            let greenlet = Greenlet.spawn {
                do { try Greenlet.sleep(for: .seconds(60)) } catch {
                    try withCancellationShield {
                        try Greenlet.blockingCall { try await Reactor.current.sleep(for: .milliseconds(1)) }
                        isDone = true
                    }
                    throw error
                }
            }
            await Greenlet.yield()
            await Greenlet.yield()
            try await greenlet.kill()
            #expect(isDone)
        }
    }
}
