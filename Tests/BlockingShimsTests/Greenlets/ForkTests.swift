import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import TestForks
import Testing

@testable import BlockingShims

/// fork(2), as C code makes it. Each test in a process of its own, with few threads that could hold a lock just then.
@Suite struct ForkTests {
    @Test func childHasAnEmptyReactorAndTheParentNoticesNothing() async {  // S69
        await #expect(processExitsWith: .success) {
            try await withReactor { reactor in
                await rest(reactor)
                let parent = getpid()
                let report = Pair.pipes()
                let readable = Pair.sockets()
                _ = write(readable.second, "x", 1)
                // What the parent has going on. In the child each of these would leave its letter.
                let mark: @Sendable (String) -> Void = { [pipe = report.second] letter in
                    if getpid() != parent { _ = write(pipe, letter, 1) }
                }
                var turns = 0
                let ticker = Greenlet.spawn { () async throws in
                    while true {
                        try await reactor.sleep(for: .milliseconds(1))
                        mark("g")
                        turns += 1
                    }
                }
                let yielder = Greenlet.spawn { () async in
                    while !Task.isCancelled {
                        mark("y")
                        await Greenlet.yield()
                    }
                }
                let parked = Greenlet.spawn { () -> Int32 in
                    usleep(30_000)
                    mark("s")
                    return 1
                }
                reactor.callLater(.milliseconds(2)) { mark("t") }
                try reactor.addReader(readable.first) { mark("r") }
                try await reactor.sleep(for: .milliseconds(10))
                reactor.callFromThread { mark("c") }

                let status = try await Greenlet.spawn { () -> Int32 in
                    let pid = forkProcess()
                    if pid == 0 { _exit(useReactor(reactor) ? 7 : 1) }
                    return exitStatus(of: pid)
                }.get()
                #expect(status == 7)
                setNonblocking(report.first, true)
                let letters = ReceiveTests.Call.read(report.first, 10).bytes
                #expect(letters == [], "\(String(decoding: letters, as: UTF8.self))")

                // The parent goes on, all of it.
                let before = turns
                try await reactor.sleep(for: .milliseconds(20))
                #expect(turns > before)
                let value = try await parked.get()
                #expect(value == 1)
                let number = try await reactor.threadPool.run { 5 }
                #expect(number == 5)
                reactor.removeReader(readable.first)
                try await ticker.kill()
                try await yielder.kill()
            }
        }
    }

    @Test func childThatComesBackFindsItsLoopEnded() async {
        await #expect(processExitsWith: .success) {
            let parent = getpid()
            let reactor = Reactor()
            var status: Int32 = -1
            do {
                status = try reactor.run(until: {
                    await rest(reactor)
                    let other = Greenlet.spawn { () async in
                        while !Task.isCancelled {
                            if getpid() != parent { _exit(1) }
                            await Greenlet.yield()
                        }
                    }
                    reactor.callLater(.zero) { if getpid() != parent { _exit(2) } }
                    let pid = try await Greenlet.spawn { forkProcess() }.get()
                    if pid == 0 { _exit(3) }  // this task is the parent's
                    try await other.kill()
                    return try await Greenlet.spawn { () -> Int32 in
                        return exitStatus(of: pid)
                    }.get()
                })
            } catch {
                guard getpid() != parent else { throw error }
                let isExpected = (error as? ReactorError)?.code == .crashed
                // Once more, from where no loop is.
                _exit(isExpected && useReactor(reactor) ? 9 : 4)
            }
            #expect(status == 9)
        }
    }

    @Test func blockingCallsOfTheForkedCodePassThrough() async {
        await #expect(processExitsWith: .success) {
            try await withReactor { reactor in
                await rest(reactor)
                let pipes = Pair.pipes()
                let status = try await Greenlet.spawn { () -> Int32 in
                    let pid = forkProcess()
                    if pid == 0 {
                        let isWhole = ReceiveTests.Call.read(pipes.first, 5).bytes == Array("hello".utf8)
                        usleep(1000)
                        _exit(isWhole && !BlockingShims.isParking && system("exit 3") == 3 << 8 ? 5 : 1)
                    }
                    usleep(20_000)
                    _ = write(pipes.second, "hello", 5)
                    return exitStatus(of: pid)
                }.get()
                #expect(status == 5)
            }
        }
    }

    @Test func childOfAnotherThreadHasAnEmptyReactorToo() async {
        await #expect(processExitsWith: .success) {
            try await withReactor { reactor in
                let timer = reactor.callLater(.seconds(60)) {}
                let pid = try await reactor.threadPool.run { () -> pid_t in
                    // The loop's thread sleeps by then, in the kernel and not in Swift's run-time library.
                    usleep(100_000)
                    let pid = forkProcess()
                    if pid == 0 { _exit(!reactor.isRunning && useReactor(reactor) ? 6 : 1) }
                    return pid
                }
                let status = try await Greenlet.spawn { exitStatus(of: pid) }.get()
                #expect(status == 6 && timer.isActive)
                try timer.cancel()
            }
        }
    }
}

/// Lets the threads that began with the process come to rest: in the kernel they hold no lock of Swift's run-time library.
@ReactorActor private func rest(_ reactor: Reactor) async {
    try? await reactor.sleep(for: .milliseconds(100))
}

/// Runs timers, threads, the resolver and greenlets of both kinds; whether all went well and nothing else was there.
private func useReactor(_ reactor: Reactor) -> Bool {
    let sum = try? reactor.run(until: { () -> Int in
        guard reactor.delayedCallCount == 0 else { return -1 }
        try await reactor.sleep(for: .milliseconds(20))
        let one = try await reactor.threadPool.run { 1 }
        let two = try await Greenlet.spawn { () -> Int in
            usleep(5000)
            let pipes = Pair.pipes()
            let writer = Greenlet.spawn { _ = write(pipes.second, "ab", 2) }
            let count = ReceiveTests.Call.read(pipes.first, 2).count
            try writer.join()
            return count
        }.get()
        let isFound = try await !reactor.resolver.resolve(
            host: "localhost", port: 80, family: .any, timeout: nil
        ).isEmpty
        return one + two + (isFound ? 4 : 0)
    })
    return sum == 7
}
