import ReactorCore
import ReactorTesting
import Testing

@testable import Greenlets

@Suite struct WithTimeoutTests {
    @Test func bodyThatIsInTimeKeepsItsValue() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let value = try await withTimeout(.seconds(5)) {
                try await Greenlet.sleep(for: .seconds(4))
                return 7
            }
            #expect(value == 7)
            #expect(reactor.delayedCallCount == 0)
        }
    }

    @Test func asyncBodyThatIsLateEndsWithTheTimeoutsError() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let start = reactor.now
            do {
                try await withTimeout(.seconds(5)) { try await Greenlet.sleep(for: .seconds(60)) }
                Issue.record("it was not late")
            } catch let error as TimeoutError {
                #expect(error.duration == .seconds(5) && error.underlying == nil)
            }
            #expect(start.duration(to: reactor.now) == .seconds(5))
        }
    }

    @Test func synchronousBodyThatIsLateEndsWithTheTimeoutsErrorAndTheGreenletGoesOn() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let waited = try await Greenlet.spawn { () throws -> Bool in
                do {
                    try withTimeout(.seconds(5)) { try Greenlet.sleep(for: .seconds(60)) }
                    return false
                } catch is TimeoutError {}
                try Greenlet.sleep(for: .seconds(1))
                return true
            }.get()
            #expect(waited)
        }
    }

    @Test(arguments: [true, false])
    func ofNestedOnesEachKnowsItsOwn(_ innerIsShorter: Bool) async throws {  // S55
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let (outer, inner): (Duration, Duration) =
                innerIsShorter ? (.seconds(2), .seconds(1)) : (.seconds(1), .seconds(2))
            var caught = ""
            do {
                try await withTimeout(outer) { outerTimeout in
                    do {
                        try await withTimeout(inner) { innerTimeout in
                            do { try await Greenlet.sleep(for: .seconds(60)) } catch {
                                caught += innerTimeout.isOver ? "i" : "-"
                                throw error
                            }
                        }
                    } catch {
                        caught += outerTimeout.owns(error) ? "O" : error is TimeoutError ? "I" : "c"
                        throw error
                    }
                }
            } catch let error as TimeoutError { caught += error.duration == outer ? "outer" : "inner" }
            #expect(caught == (innerIsShorter ? "iIinner" : "-couter"))
        }
    }

    @Test(arguments: [true, false])
    func ofNestedOnesInAFiberEachKnowsItsOwn(_ innerIsShorter: Bool) async throws {  // S55
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let caught = try await Greenlet.spawn { () throws -> String in
                let (outer, inner): (Duration, Duration) =
                    innerIsShorter ? (.seconds(2), .seconds(1)) : (.seconds(1), .seconds(2))
                var caught = ""
                do {
                    try withTimeout(outer) { outerTimeout in
                        do {
                            try withTimeout(inner) { innerTimeout in
                                do { try Greenlet.sleep(for: .seconds(60)) } catch {
                                    caught += innerTimeout.isOver ? "i" : "-"
                                    throw error
                                }
                            }
                        } catch {
                            caught += outerTimeout.owns(error) ? "O" : error is TimeoutError ? "I" : "c"
                            throw error
                        }
                    }
                } catch let error as TimeoutError { caught += error.duration == outer ? "outer" : "inner" }
                return caught
            }.get()
            #expect(caught == (innerIsShorter ? "iIinner" : "-Oouter"))
        }
    }

    @Test func defaultOfAnInnerOneDoesNotSwallowAnOuterOnes() async throws {  // S55
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let own = try await withTimeout(.seconds(1), default: -1) {
                try await Greenlet.sleep(for: .seconds(60))
                return 1
            }
            #expect(own == -1)
            await #expect(throws: TimeoutError.self) {
                try await withTimeout(.seconds(1)) {
                    _ = try await withTimeout(.seconds(2), default: -1) {
                        try await Greenlet.sleep(for: .seconds(60))
                        return 1
                    }
                }
            }
            let inFiber = try await Greenlet.spawn { () throws -> Int in
                do {
                    try withTimeout(.seconds(1)) {
                        _ = try withTimeout(.seconds(2), default: -1) {
                            try Greenlet.sleep(for: .seconds(60))
                            return 1
                        }
                    }
                    return 0
                } catch let error as TimeoutError where error.duration == .seconds(1) { return 2 }
            }.get()
            #expect(inFiber == 2)
        }
    }

    @Test func timeoutEndsALoopThatYieldsForEver() async throws {  // S55
        let clock = ManualClock()
        try await withReactor(clock: clock) { _ in
            var turns = 0
            let greenlet = Greenlet.spawn {
                try withTimeout(.milliseconds(10)) {
                    while true {
                        try Greenlet.yield()
                        turns += 1
                        clock.advance(by: .milliseconds(1))
                    }
                }
            }
            await #expect(throws: TimeoutError.self) { try await greenlet.get() }
            #expect(turns >= 10)
        }
    }

    @Test func zeroDoesNotFireBeforeTheFirstWaitAndNilNever() async throws {  // S55
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let value = try await withTimeout(.zero) { () async in 1 }
            #expect(value == 1)
            let patient = try await withTimeout(nil) {
                try await Greenlet.sleep(for: .seconds(3600))
                return 2
            }
            #expect(patient == 2)
            let late = try await withTimeout(.zero, default: 3) {
                try await Greenlet.sleep(for: .seconds(1))
                return 4
            }
            #expect(late == 3)
        }
    }

    @Test func timeoutMayBeCalledOffAndMovedByItsBody() async throws {  // S55
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let value = try await withTimeout(.seconds(1)) { timeout in
                timeout.cancel()
                #expect(timeout.deadline == nil)
                try await Greenlet.sleep(for: .seconds(5))
                timeout.restart(after: .seconds(2))
                return try await withTimeout(nil) {
                    try await Greenlet.sleep(for: .seconds(1))
                    return 9
                }
            }
            #expect(value == 9)
            let start = reactor.now
            await #expect(throws: TimeoutError.self) {
                try await withTimeout(.seconds(1)) { timeout in
                    timeout.restart(after: .seconds(3))
                    try await Greenlet.sleep(for: .seconds(60))
                }
            }
            #expect(start.duration(to: reactor.now) == .seconds(3))
        }
    }

    @Test func timeIsCountedFromTheCallNotFromTheTurn() async throws {  // S55: the turn's time may be old
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { _ in
            clock.advance(by: .seconds(30))
            let value = try await withTimeout(.seconds(25), default: 0) {
                try await Greenlet.sleep(for: .seconds(1))
                return 1
            }
            #expect(value == 1)
        }
    }

    @Test func whatTheBodyMadeOfItIsTheUnderlyingError() async throws {
        struct Lost: Error {}
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let greenlet = Greenlet.spawn {
                try withTimeout(.seconds(1)) {
                    do { try Greenlet.sleep(for: .seconds(60)) } catch { throw Lost() }
                }
            }
            let error = await #expect(throws: TimeoutError.self) { try await greenlet.get() }
            #expect(error?.underlying is Lost)
        }
    }

    @Test func killWinsOverTheTimeout() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let fiber = Greenlet.spawn {
                try withTimeout(.seconds(60)) { try Greenlet.sleep(for: .seconds(90)) }
            }
            let task = Greenlet.spawn { () async throws in
                try await withTimeout(.seconds(60)) { try await Greenlet.sleep(for: .seconds(90)) }
            }
            try await Greenlet.sleep(for: .seconds(1))
            try await fiber.kill()
            try await task.kill()
            #expect(fiber.failure is GreenletExit && task.failure is GreenletExit)
            #expect(reactor.delayedCallCount == 0)
        }
    }

    @Test func requestOfAFiberIsEndedAndNothingElse() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let value = try await Greenlet.spawn { () throws -> Int in
                let late = try withTimeout(.seconds(1), default: 1) {
                    try Greenlet.blockingCall {
                        try await Reactor.current.sleep(for: .seconds(60))
                        return 0
                    }
                }
                return try late
                    + Greenlet.blockingCall {
                        try await Reactor.current.sleep(for: .seconds(60))
                        return 10
                    }
            }.get()
            #expect(value == 11)
        }
    }
}
