import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct StallTests {
    /// Blocks the thread, in the kernel. Not in a fiber: there BlockingShims might park it.
    nonisolated private static func block(_ milliseconds: Int) {
        usleep(UInt32(milliseconds) * 1000)
    }

    @Test func stallFailsTheTestWithItsCulprit() async throws {
        let stall = await #expect(throws: ReactorStall.self) {
            try await withReactor(failsOnStallsOver: .milliseconds(50)) { reactor in
                try await Greenlet.spawn(name: "culprit") { () async -> Void in
                    await reactor.yield()
                    Self.block(3000)
                }.get()
            }
        }
        // A busy machine may hold up the loop, too.
        #expect(stall?.reports.count { $0.greenlet?.name == "culprit" } == 1)
        #expect(stall?.description.contains("greenlet \"culprit\"") == true)
    }

    @Test func shortStepsPass() async throws {
        try await withReactor(failsOnStallsOver: .seconds(5)) { reactor in
            for _ in 0..<3 {
                Self.block(5)
                await reactor.yield()
            }
        }
    }

    @Test(.onReactor(failsOnStallsOver: .seconds(10))) @ReactorActor func traitTakesTheLimit() {
        #expect(reactor.monitor.maxBlockingTime == .seconds(10))
    }
}
