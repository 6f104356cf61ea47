import Greenlets
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct AssertSwitchesTests {  // S68
    private struct OwnError: Error {}

    nonisolated private static func spin(_ time: Duration) {
        let end = MonotonicClock().now.advanced(by: time)
        while MonotonicClock().now < end {}
    }

    @Test func codeThatNeverGivesWayFails() async throws {
        try await withReactor { _ in
            let error = await #expect(throws: ReactorError.self) { try await assertSwitches { () async in } }
            #expect(error?.code == .didNotSwitch)
            #expect(error?.message.contains("GreenletsTests/AssertSwitchesTests.swift:") == true)
            let inFiber = await #expect(throws: ReactorError.self) {
                try await Greenlet.spawn { try assertSwitches { () -> Void in } }.get()
            }
            #expect(inFiber?.code == .didNotSwitch)
        }
    }

    @Test func codeThatGivesWayPasses() async throws {
        try await withReactor { reactor in
            let value = try await assertSwitches { () async throws -> Int in
                await reactor.yield()
                return 1
            }
            #expect(value == 1)
            try await assertSwitches { try await reactor.sleep(for: .milliseconds(1)) }
            let other = try await Greenlet.spawn { () throws -> Int in
                try assertSwitches { () throws -> Int in
                    try Greenlet.yield()
                    return 2
                }
            }.get()
            #expect(other == 2)
        }
    }

    @Test func onlyStretchesOfTheTaskItselfCount() async throws {
        try await withReactor { reactor in
            _ = Greenlet.spawn(name: "hog") { Self.spin(.milliseconds(550)) }
            try await assertSwitches(within: .milliseconds(500)) {
                for _ in 0..<3 { await reactor.yield() }
            }
        }
    }

    @Test(arguments: [0, 1, 2])
    func longStretchFailsWhereverItIs(_ place: Int) async throws {
        try await withReactor { reactor in
            for isSynchronous in [true, false] {
                let greenlet =
                    isSynchronous
                    ? Greenlet.spawn {
                        try assertSwitches(within: .milliseconds(20)) {
                            for step in 0..<3 {
                                if step == place { Self.spin(.milliseconds(40)) }
                                try Greenlet.yield()
                            }
                        }
                    }
                    : Greenlet.spawn {
                        try await assertSwitches(within: .milliseconds(20)) {
                            for step in 0..<3 {
                                if step == place { Self.spin(.milliseconds(40)) }
                                await reactor.yield()
                            }
                        }
                    }
                let error = await #expect(throws: ReactorError.self) { try await greenlet.get() }
                #expect(error?.code == .didNotSwitch)
                #expect(error?.message.contains("more than 20ms") == true)
            }
        }
    }

    @Test func shortStretchesPassWithoutASwitch() async throws {
        try await withReactor { _ in
            try await assertSwitches(within: .seconds(10)) { () async in }
        }
    }

    @Test func errorOfTheBodyIsNotMasked() async throws {
        try await withReactor { _ in
            await #expect(throws: OwnError.self) {
                try await assertSwitches { () async throws -> Void in throw OwnError() }
            }
            await #expect(throws: OwnError.self) {
                try await Greenlet.spawn {
                    try assertSwitches(within: .milliseconds(1)) { () throws -> Void in
                        Self.spin(.milliseconds(5))
                        throw OwnError()
                    }
                }.get()
            }
        }
    }

    @Test func nestedOnesEachCountTheirOwn() async throws {
        try await withReactor { reactor in
            try await assertSwitches {
                await #expect(throws: ReactorError.self) { try await assertSwitches { () async in } }
                try await assertSwitches { await reactor.yield() }
            }
            #expect(reactor.switchWatches.isEmpty)
            #expect(!reactor.observation.contains(.switches))
        }
    }
}
