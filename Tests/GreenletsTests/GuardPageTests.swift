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

    /// As on kernels before 6.13.
    @Test(.enabled(if: cf_report_overflows() != 0)) func guardPagesMadeByMprotectDoTheSame() async {
        let exit = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            cf_guard_by_mprotect(1)
            try await withReactor { _ in
                for _ in 0..<3 {
                    try await Greenlet.spawn { () throws -> Void in try Greenlet.yield() }.get()
                }
                _ = try await Greenlet.spawn(name: "deep diver") { () throws -> Int in Self.overflow(0) }
                    .get()
            }
        }
        #expect(Self.standardError(exit).contains("greenlet \"deep diver\""))
    }

    /// Stacks so large that few of them use the address space up, and leave enough for everything else. The sanitizers have
    /// terabytes of it, and do not work with less.
    @Test(.enabled(if: addressSpace() ?? .max < 1 << 40))
    func withoutMemoryForAStackTheGreenletFailsAndTheNextWorks() async {
        await #expect(processExitsWith: .success) {
            setenv("REACTOR_STACK_SIZE", "\(512 << 20)", 1)
            try await withReactor { _ in
                try #require(Self.limitAddressSpace(to: 2048 << 20))
                let wake = Event()
                let results = (0..<8).map { _ in
                    Greenlet.spawn { () async -> GreenletError? in
                        let greenlet = Greenlet.spawn { () throws -> Void in try wake.wait() }
                        do { try await greenlet.get() } catch { return error as? GreenletError }
                        return nil
                    }
                }
                while wake.waiterCount + results.count(where: \.isReady) < 8 { await Greenlet.yield() }
                let parked = wake.waiterCount
                wake.set()
                var failures: [GreenletError] = []
                for result in results {
                    if let error = try await result.get() { failures.append(error) }
                }
                try #require(parked > 0 && failures.count == 8 - parked && failures.count > 0)
                for error in failures {
                    try #require(error.code == .outOfStacks && error.message.contains("vm.max_map_count"))
                }
                // Those of the others are there again.
                let next = Greenlet.spawn { () throws -> Void in try Greenlet.yield() }
                try await next.get()
            }
        }
    }

    /// Bytes of address space that the process has.
    private static func addressSpace() -> UInt? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return nil }
        return strtoul(line, nil, 10) * UInt(getpagesize())
    }

    /// Lets the address space of the process grow by so many bytes more.
    private static func limitAddressSpace(to bytes: UInt) -> Bool {
        var limit = rlimit()
        guard let used = addressSpace(), getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0
        else {
            return false
        }
        limit.rlim_cur = used + bytes
        return setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0
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
