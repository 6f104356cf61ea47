import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

@Suite struct WithGreenletTests {
    struct Lost: Error, Equatable { var name = "" }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func withGreenletJoinsAtItsEnd(_ isSynchronous: Bool) async throws {
        let greenlet = Greenlet.spawn { () throws -> Int in
            try Greenlet.sleep(for: .milliseconds(1))
            return 7
        }
        let value =
            isSynchronous
            ? try await Greenlet.spawn { try withGreenlet(greenlet) { _ in 8 } }.get()
            : try await withGreenlet(greenlet) { _ in 8 }
        #expect(value == 8 && greenlet.isReady && greenlet.isSuccessful)
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func errorOfWithGreenletsBodyKillsItWithThatError(_ isSynchronous: Bool) async throws {
        let greenlet = Greenlet.spawn { try Greenlet.sleep(for: .seconds(60)) }
        try await Greenlet.waitUntilIdle()
        await #expect(throws: Lost(name: "body")) {
            if isSynchronous {
                try await Greenlet.spawn { try withGreenlet(greenlet) { _ in throw Lost(name: "body") } }
                    .get()
            } else {
                try await withGreenlet(greenlet) { _ in throw Lost(name: "body") }
            }
        }
        #expect(greenlet.failure as? Lost == Lost(name: "body"))
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func killedWhileItJoinsWithGreenletKillsInTurn(_ isSynchronous: Bool) async throws {
        let greenlet = Greenlet.spawn { try Greenlet.sleep(for: .seconds(60)) }
        let owner =
            isSynchronous
            ? Greenlet.spawn { () throws -> Void in try withGreenlet(greenlet) { _ in } }
            : Greenlet.spawn { () async throws -> Void in try await withGreenlet(greenlet) { _ in } }
        try await Greenlet.waitUntilIdle()
        try await owner.kill()
        #expect(greenlet.isReady && owner.isReady && owner.isSuccessful)
    }

    @Test(.onReactor)
    @ReactorActor func withGreenletEndsOneThatNobodyHasStarted() async throws {
        let greenlet = Greenlet {}
        try await withGreenlet(greenlet) { _ in }
        #expect(greenlet.isReady && !greenlet.isStarted)
    }
}
