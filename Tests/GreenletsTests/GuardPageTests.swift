import CFibers
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct GuardPageTests {
    private static func standardError(_ result: ExitTest.Result?) -> String {
        String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    }

    nonisolated private static func overflow(_ depth: Int) -> Int {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 128) { buffer in
            buffer.initialize(repeating: depth)
            return depth < 0 ? 0 : overflow(depth + 1) &+ buffer[depth & 127]
        }
    }

    // The address sanitizer has its own message.
    @Test(.enabled(if: cf_report_overflows() != 0)) func usedUpStackNamesItsGreenletAndTheWayOut() async {
        let exit = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                _ = try await Greenlet.spawn(name: "deep diver") { () throws -> Int in Self.overflow(0) }
                    .get()
            }
        }
        let text = Self.standardError(exit)
        for part in [
            "fatal error: greenlet \"deep diver\" (1, spawned at GreenletsTests/GuardPageTests.swift:",
            "has used up its stack of 26", " bytes", "REACTOR_STACK_SIZE",
        ] { #expect(text.contains(part), "\(text)") }
    }

    // The address sanitizer has its own message.
    @Test(.enabled(if: cf_report_overflows() != 0)) func unnamedGreenletOnAStackUsedBeforeIsNamedByItsNumber()
        async
    {
        let exit = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                try await Greenlet.spawn(name: "before") { () throws -> Void in try Greenlet.yield() }.get()
                _ = try await Greenlet.spawn { () throws -> Int in
                    try Greenlet.yield()
                    return Self.overflow(0)
                }.get()
            }
        }
        #expect(Self.standardError(exit).contains("greenlet \"greenlet-2\" (2, spawned at"))
    }

    @Test func faultElsewhereIsNotMistakenForIt() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                try await Greenlet.spawn { () throws -> Void in
                    let nowhere = UnsafeMutablePointer<Int>(bitPattern: 4096)
                    nowhere?.pointee = 1
                }.get()
            }
        }
        #expect(!Self.standardError(exit).contains("has used up its stack"))
    }

    @Test func longNameIsCutShort() {
        guard let fiber = cf_fiber_map(64 * 1024) else {
            Issue.record("no memory for a stack")
            return
        }
        defer { cf_fiber_unmap(fiber) }
        cf_fiber_label(fiber, 7, nil, 1, String(repeating: "x", count: 100))
        let name = withUnsafePointer(to: &fiber.pointee.label_name.0) { String(cString: $0) }
        #expect(name == String(repeating: "x", count: 43))
    }

    @Test func highWaterMarkIsTheDeepestTouch() {
        guard let fiber = cf_fiber_map(256 * 1024) else {
            Issue.record("no memory for a stack")
            return
        }
        defer { cf_fiber_unmap(fiber) }
        let fresh = cf_fiber_stack_high_water(fiber)
        #expect(fresh <= 4096)
        UnsafeMutableRawPointer(fiber).advanced(by: -100_000).storeBytes(of: 1, as: UInt8.self)
        let touched = cf_fiber_stack_high_water(fiber)
        #expect(touched >= 100_000 && touched < 100_000 + 4096)
        #expect(cf_fiber_stack_size(fiber) >= 256 * 1024)
    }
}
