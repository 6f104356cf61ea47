import Glibc
import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

@Suite struct WaitUntilIdleTests {
    @Test(.onReactor(clock: ManualClock()), arguments: [false, true])
    @ReactorActor func whatIsReadyAndDueRunsFirst(_ isAsync: Bool) async throws {
        var log: [String] = []
        let idler =
            isAsync
            ? Greenlet.spawn { () async throws -> Void in
                try await Greenlet.waitUntilIdle()
                log.append("idle")
            }
            : Greenlet.spawn { () throws -> Void in
                try Greenlet.waitUntilIdle()
                log.append("idle")
            }
        let busy = Greenlet.spawn { () throws -> Void in
            for number in 0..<20 {
                try Greenlet.yield()
                log.append("\(number)")
            }
        }
        reactor.callLater(.zero) { log.append("due") }
        let later = reactor.callLater(.seconds(1)) { log.append("later") }
        try await Greenlet.joinAll([idler, busy])
        #expect(log.last == "idle" && log.count == 22 && log.contains("due") && !log.contains("later"))
        try later.cancel()
    }

    @Test(.onReactor)
    @ReactorActor func readyDescriptorIsSomethingToDo() async throws {
        var fds: [Int32] = [0, 0]
        try #require(pipe(&fds) == 0)
        defer { fds.forEach { close($0) } }
        let (reading, writing) = (fds[0], fds[1])
        var log: [String] = []
        let reader = Greenlet.spawn { () async throws -> Void in
            try await Reactor.current.waitUntilReadable(reading)
            log.append("read")
        }
        for _ in 0..<3 { await reactor.yield() }
        try #require(write(writing, "x", 1) == 1)
        try await Greenlet.waitUntilIdle()
        log.append("idle")
        try await reader.join()
        #expect(log == ["read", "idle"])
    }

    @Test(.onReactor)
    @ReactorActor func severalGoOnOneAfterTheOther() async throws {
        var log: [String] = []
        let idlers = ["a", "b"].map { name in
            Greenlet.spawn { () throws -> Void in
                try Greenlet.waitUntilIdle()
                for number in 0..<3 {
                    log.append("\(name)\(number)")
                    try Greenlet.yield()
                }
            }
        }
        try await Greenlet.joinAll(idlers)
        #expect(log == ["a0", "a1", "a2", "b0", "b1", "b2"])
    }

    @Test(.onReactor)
    @ReactorActor func killedIdlerIsGone() async throws {
        let idler = Greenlet.spawn { () throws -> Void in
            while true { try Greenlet.waitUntilIdle() }
        }
        for _ in 0..<50 { await reactor.yield() }
        try await idler.kill()
        #expect(idler.isSuccessful)
        try await Greenlet.waitUntilIdle()
        #expect(reactor.idleWaiters == nil)
    }
}
