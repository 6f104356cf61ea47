import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

/// All blocking calls at once.
@Suite struct FreeLoopTests {
    @Test func allCallsTogetherLeaveTheLoopFree() async throws {  // S66a
        try await withReactor { reactor in
            let calls = BlockingCall.Kind.allCases.map { ($0, BlockingCall($0, milliseconds: 60_000)) }
            var begun = 0
            var ended: [BlockingCall.Kind] = []
            let greenlets = calls.map { kind, call in
                Greenlet.spawn(name: "\(kind)") { () -> Int32 in
                    begun += 1
                    let code = call.run()
                    ended.append(kind)
                    return code
                }
            }
            // Commands are started, and what tries once before it waits has tried.
            while begun < calls.count { await Greenlet.yield() }
            for _ in 0..<5 { try await reactor.sleep(for: .milliseconds(10)) }
            var ticks = 0
            let ticker = Greenlet.spawn { () async throws in
                while true {
                    try await reactor.sleep(for: .milliseconds(10))
                    ticks += 1
                }
            }
            // The loop always has something to do, so its thread sleeps only where a call blocks it. Time for which the
            // machine lets the thread wait does not count.
            let before = try #require(ThreadTimes.ofThisThread)
            let end = reactor.now.advanced(by: .seconds(1))
            while reactor.now < end { await Greenlet.yield() }
            let after = try #require(ThreadTimes.ofThisThread)
            let early = ended
            #expect(early.isEmpty)
            #expect(ticks >= 10, "a hundred, on a machine with nothing else to do")
            #expect(after.slept - before.slept < (after.now - before.now) / 2, "calls blocked the loop")
            try await ticker.kill()
            for (_, call) in calls { call.release() }
            for (greenlet, call) in zip(greenlets, calls) {
                if call.0.isTimer {
                    try await greenlet.kill()
                } else {
                    let code = try await greenlet.get()
                    #expect(code == 0, "\(call.0)")
                }
            }
        }
    }
}

/// How a thread has spent its time, in nanoseconds.
private struct ThreadTimes {
    let now: Int64
    private let ran: Int64
    private let waitedForAProcessor: Int64

    /// Asleep, all in all, up to a constant.
    var slept: Int64 { now - ran - waitedForAProcessor }

    /// Nil on a system that does not tell.
    static var ofThisThread: ThreadTimes? {
        guard let file = fopen("/proc/thread-self/schedstat", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let text = line.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }  // not empty
        let numbers = text.split { $0 == " " || $0 == "\n" }.compactMap { Int64($0) }
        guard numbers.count == 3 else { return nil }
        return ThreadTimes(now: monotonicNanoseconds(), ran: numbers[0], waitedForAProcessor: numbers[1])
    }
}
