import CLinux
import Glibc
import Greenlets
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

@Suite struct ReactorMonitorTests {
    /// Longer under a sanitizer, whose monitor takes seconds to read a stack.
    private static let patience =
        getenv("REACTOR_TESTING_PATIENCE").flatMap { Int64(String(cString: $0)) } ?? 1

    /// Runs `body` on a reactor whose monitor is set to 50 ms; returns the reports that are `wanted`, in order. A busy machine
    /// may hold up the loop, too, and be reported.
    private static func reports(
        where isWanted: @Sendable (BlockReport) -> Bool,
        _ body: @escaping @Sendable @ReactorActor (Reactor, Seen) async throws -> Void
    ) async throws -> [BlockReport] {
        let seen = Seen()
        try await withReactor { reactor in
            reactor.monitor.onEvent = { event in
                switch event {
                case .loopBlocked(let report), .loopUnblocked(let report):
                    seen.reports.withLock { $0.append(report) }
                default: break
                }
            }
            reactor.monitor.maxBlockingTime = .milliseconds(50)
            await reactor.yield()
            try await body(reactor, seen)
            // The end of a block is told when the monitor next looks.
            let deadline = reactor.now.advanced(by: .seconds(30))
            while seen.reports.withLock({ $0.count % 2 != 0 }), reactor.now < deadline {
                try await reactor.sleep(for: .milliseconds(5))
            }
        }
        return seen.reports.withLock { $0 }.filter(isWanted)
    }

    private static func isOf(_ name: String) -> @Sendable (BlockReport) -> Bool {
        { $0.greenlet?.name == name }
    }

    /// Whether it tells of a thread in `sleepForTheMonitor`.
    @Sendable private static func isAsleep(_ report: BlockReport) -> Bool {
        report.stack.contains { $0.function?.contains("sleepForTheMonitor") == true }
    }

    /// Runs until the monitor has told of it, and some more.
    @inline(never) nonisolated private static func spinForTheMonitor(_ seen: Seen) -> Int {
        var count = 0
        let end = clinux_thread_cpu_ns() + 10_000_000_000
        while seen.isEmpty, clinux_thread_cpu_ns() < end { count += 1 }
        let after = clinux_thread_cpu_ns() + 50_000_000
        while clinux_thread_cpu_ns() < after { count += 1 }
        return count
    }

    /// Blocks the thread. Not by a function that BlockingShims define, which would park a fiber.
    @inline(never) nonisolated private static func sleepForTheMonitor(_ milliseconds: Int64) {
        let end = clinux_monotonic_ns() + milliseconds * 1_000_000
        var word: UInt32 = 0
        while clinux_monotonic_ns() < end { clinux_futex_wait(&word, 0, end - clinux_monotonic_ns()) }
    }

    /// Blocks the thread in one wait after the other until the monitor has told of it.
    nonisolated private static func sleepUntilSeen(_ seen: Seen) {
        for _ in 0..<50 * Int(patience) where seen.isEmpty { sleepForTheMonitor(200) }
    }

    /// The same in long waits, where the monitor has the time that it takes to be given a processor.
    nonisolated private static func sleepLong(_ seen: Seen) {
        sleepForTheMonitor(1000 * patience)
        for _ in 0..<20 where seen.isEmpty { sleepForTheMonitor(1000) }
    }

    /// The thread sanitizer holds signals back, so a thread that runs cannot be sampled.
    private static let isUnderThreadSanitizer = dlsym(nil, "__tsan_init") != nil

    @Test(.disabled(if: isUnderThreadSanitizer)) func spinningFiberIsReportedOnceWithItsStackAndLength()
        async throws
    {  // S67
        let reports = try await Self.reports(where: Self.isOf("hog")) { _, seen in
            _ = try await Greenlet.spawn(name: "hog") { () throws -> Int in Self.spinForTheMonitor(seen) }
                .get()
        }
        try #require(reports.count == 2)
        let greenlet = try #require(reports[0].greenlet)
        #expect(greenlet.name == "hog")
        #expect(greenlet.spawnSite.description.contains("GreenletsTests/ReactorMonitorTests.swift:"))
        #expect(reports[0].systemCall == nil)
        #expect(
            reports[0].stack.contains { $0.function?.contains("spinForTheMonitor") == true }, "\(reports[0])")
        #expect(!reports[0].isOver && reports[1].isOver)
        #expect(reports[1].duration >= reports[0].duration + .milliseconds(50), "\(reports[1])")
        #expect(reports[1].description.contains("was blocked for"))
    }

    @Test(arguments: [true, false])
    func threadThatSleepsInTheKernelIsReportedAndSleepsOn(_ isSynchronous: Bool) async throws {
        let reports = try await Self.reports(where: Self.isOf("sleeper")) { reactor, seen in
            let start = reactor.now
            if isSynchronous {
                try await Greenlet.spawn(name: "sleeper") { () throws -> Void in
                    Self.sleepLong(seen)
                }.get()
            } else {
                try await Greenlet.spawn(name: "sleeper") { () async throws -> Void in
                    await reactor.yield()
                    Self.sleepLong(seen)
                }.get()
            }
            // A sample by a signal would have ended the sleep.
            #expect(start.duration(to: reactor.now) >= .milliseconds(1000 * Self.patience))
        }
        try #require(reports.count == 2)
        #expect(reports[0].greenlet?.name == "sleeper")
        #expect(reports[0].systemCall == "futex")
        #expect(
            reports[0].stack.contains { $0.function?.contains("sleepForTheMonitor") == true }, "\(reports[0])"
        )
    }

    /// Blocks the thread in usleep(3) until the monitor has told of it. Off fibers alone.
    @inline(never) nonisolated private static func usleepUntilSeen(_ seen: Seen) {
        for _ in 0..<50 * Int(patience) where !seen.has({ $0.operation == "usleep" }) { usleep(200_000) }
    }

    @Test func callbackOutsideGreenletsIsReportedAsSuchWithWhatItCalled() async throws {  // S67
        let reports = try await Self.reports(where: { $0.operation == "usleep" }) { reactor, seen in
            let latch = Latch(on: reactor)
            reactor.callLater(.milliseconds(1)) {
                Self.usleepUntilSeen(seen)
                latch.open()
            }
            try await latch.waitUntilOpen()
        }
        try #require(reports.count == 2)
        #expect(reports[0].greenlet == nil)
        #expect(reports[0].description.contains("by usleep, run by code outside any greenlet"))
        #expect(reports[1].description.contains("by usleep, run by code outside any greenlet"))
        #expect(reports[0].stack.contains { $0.isLoop })
        #expect(!reports[0].description.contains("ReactorCore.Reactor.turn("), "it ends above the loop")
    }

    @Test func workersOfThePoolMayBlock() async throws {  // S67
        let reports = try await Self.reports(where: Self.isAsleep) { reactor, _ in
            try await reactor.threadPool.run { Self.sleepForTheMonitor(250) }
        }
        #expect(reports.isEmpty)
    }

    @Test func ignoredBlocksAreNotReported() async throws {  // S67
        let reports = try await Self.reports(where: { Self.isOf("third")($0) || Self.isAsleep($0) }) {
            reactor, seen in
            try await Greenlet.spawn { () throws -> Void in withoutMonitoring { Self.sleepForTheMonitor(200) }
            }.get()
            try await Greenlet.spawn { () async throws -> Void in
                await reactor.yield()
                try await withoutMonitoring {
                    try await reactor.sleep(for: .milliseconds(1))
                    Self.sleepForTheMonitor(200)
                }
            }.get()
            try await Greenlet.spawn(name: "third") { () throws -> Void in
                reactor.monitor.ignoreCurrentGreenlet()
                Self.sleepForTheMonitor(200)
                try Greenlet.yield()
                reactor.monitor.monitorCurrentGreenlet()
                try Greenlet.yield()
                Self.sleepUntilSeen(seen)
            }.get()
        }
        #expect(reports.map { $0.greenlet?.name } == ["third", "third"])
    }

    @Test func eventsReachTasksOfTheReactor() async throws {
        try await withReactor { reactor in
            let events = reactor.events
            let told = Seen()
            reactor.monitor.onEvent = { event in
                if case .loopBlocked(let report) = event { told.reports.withLock { $0.append(report) } }
            }
            reactor.monitor.maxBlockingTime = .milliseconds(20)
            reactor.callLater(.zero) { Self.sleepUntilSeen(told) }
            var seen: [String] = []
            for try await event in events {
                switch event {
                case .loopBlocked(let report):
                    #expect(!report.isOver)
                    seen.append("blocked")
                case .loopUnblocked(let report):
                    #expect(report.duration >= .milliseconds(20))
                    seen.append("unblocked")
                default: break
                }
                if seen.count == 2 { break }
            }
            #expect(seen == ["blocked", "unblocked"])
        }
    }

    @Test func monitorOfAnIdleLoopSleeps() async throws {
        try await withReactor { reactor in
            reactor.monitor.onEvent = { _ in }
            reactor.monitor.maxBlockingTime = .milliseconds(20)
            try await reactor.sleep(for: .milliseconds(50))
            // Of all monitors in the process; one that looked every 5 ms would wake 80 times in each look at them. A busy
            // machine may hold up this loop, which its monitor then watches: it gets a few looks.
            var hasSlept = false
            for _ in 0..<10 where !hasSlept {
                let before = Self.switchesOfMonitors()
                try await reactor.sleep(for: .milliseconds(400))
                let after = Self.switchesOfMonitors()
                hasSlept = before.contains { (after[$0.key] ?? .max) - $0.value < 10 }
            }
            #expect(hasSlept)
        }
    }

    /// How often each thread called so has gone to sleep, by number.
    private static func switchesOfMonitors() -> [String: Int] {
        var switches: [String: Int] = [:]
        guard let directory = opendir("/proc/self/task") else { return [:] }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let number = withUnsafePointer(to: &entry.pointee.d_name.0) { String(cString: $0) }
            guard let status = readFile("/proc/self/task/\(number)/status"),
                status.contains("reactor-monitor")
            else { continue }
            let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
            switches[number] = line.flatMap { Int($0.split(separator: "\t").last ?? "") }
        }
        return switches
    }

    @Test func stoppedReactorIsNotHeldByWhatItsMonitorHadToSay() throws {
        weak var kept: Reactor?
        do {
            let reactor = Reactor()
            kept = reactor
            try reactor.run(until: {
                _ = reactor.events
                reactor.monitor.onEvent = { _ in }
                reactor.monitor.maxBlockingTime = .milliseconds(1)
                Self.sleepForTheMonitor(20)
            })
        }
        // The monitor may be looking at it.
        for _ in 0..<1000 where kept != nil { Self.sleepForTheMonitor(10) }
        #expect(kept == nil)
    }

    @Test func monitoringFunctionIsCalledEvenWhileTheLoopIsBlocked() async throws {
        try await withReactor { reactor in
            reactor.monitor.maxBlockingTime = nil
            let calls = Calls()
            let function = reactor.monitor.addMonitoringFunction(every: .milliseconds(10)) {
                calls.count.withLock { $0 += 1 }
            }
            for _ in 0..<1000 where calls.count.withLock({ $0 < 3 }) { Self.sleepForTheMonitor(10) }
            #expect(calls.count.withLock { $0 } >= 3)
            function.change(every: .seconds(3600))
            // One may be under way on a thread that the machine lets wait.
            var isStill = false
            for _ in 0..<20 where !isStill {
                let before = calls.count.withLock { $0 }
                Self.sleepForTheMonitor(60)
                isStill = calls.count.withLock { $0 } == before
            }
            #expect(isStill)
            function.cancel()
        }
    }

    @Test func memoryIsReportedWhileItGrowsAndOnceWhenItIsLessAgain() async throws {
        try await withReactor { reactor in
            let seen = Seen()
            reactor.monitor.maxBlockingTime = nil
            reactor.monitor.onEvent = { event in
                switch event {
                case .memoryAboveLimit(let bytes): seen.memory.withLock { $0.append(bytes) }
                case .memoryBelowLimit: seen.memory.withLock { $0.append(0) }
                default: break
                }
            }
            reactor.monitor.memoryLimit = 1
            while seen.memory.withLock({ $0.isEmpty }) { try await reactor.sleep(for: .milliseconds(10)) }
            reactor.monitor.memoryLimit = .max
            while seen.memory.withLock({ $0.last != 0 }) { try await reactor.sleep(for: .milliseconds(10)) }
            reactor.monitor.memoryLimit = nil
            let values = seen.memory.withLock { $0 }
            #expect(values.dropLast() == values.dropLast().sorted()[...])
            #expect(values.filter { $0 == 0 }.count == 1)
        }
    }
}

private final class Seen: Sendable {
    let reports = Mutex<[BlockReport]>([])
    let memory = Mutex<[Int]>([])
    var isEmpty: Bool { reports.withLock { $0.isEmpty } }
    func has(_ isWanted: (BlockReport) -> Bool) -> Bool { reports.withLock { $0.contains(where: isWanted) } }
}

private final class Calls: Sendable { let count = Mutex(0) }
