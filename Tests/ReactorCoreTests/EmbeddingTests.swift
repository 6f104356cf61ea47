import CLinux
import Glibc
import ReactorCore
import ReactorTesting
import Testing

@Suite(.everyBackend) struct EmbeddingTests {
    /// The loop of the documentation, until `isDone`.
    private func runForeignLoop(_ reactor: Reactor, until isDone: () -> Bool) throws {
        while !isDone() {
            var entry = pollfd(fd: reactor.pollDescriptor, events: Int16(POLLIN), revents: 0)
            poll(&entry, 1, reactor.idleTime.map { Int32($0 / .milliseconds(1)) + 1 } ?? -1)
            try reactor.iterate()
        }
    }

    @Test func anotherLoopDrivesTimersTasksDescriptorsAndCallsOfThreads() throws {
        let reactor = Reactor()
        let log = Log()
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        defer { for end in ends { close(end) } }
        reactor.callFromThread {
            Task { @ReactorActor in
                try await reactor.sleep(for: .milliseconds(5))
                log.lines.append("slept")
                _ = write(writing, "x", 1)
            }
            try reactor.addReader(reading) {
                log.lines.append("readable")
                reactor.removeReader(reading)
                Task.detached { reactor.callFromThread { log.lines.append("called") } }
            }
        }
        try runForeignLoop(reactor) { log.count == 3 }
        #expect(log.all == ["slept", "readable", "called"])
        #expect(!reactor.isRunning)
    }

    @Test func idleTimeIsThatOfTheNextTimer() throws {
        let reactor = Reactor()
        #expect(reactor.idleTime == nil)
        reactor.callFromThread { reactor.callLater(.seconds(60)) {} }
        #expect(reactor.idleTime == .zero, "the call is waiting")
        try reactor.iterate()
        let idle = try #require(reactor.idleTime)
        #expect(idle > .seconds(50) && idle <= .seconds(60))
    }
}

private final class Log: @unchecked Sendable {  // one thread at a time: that of iterate()
    var lines: [String] = []
    var count: Int { lines.count }
    var all: [String] { lines }
}
