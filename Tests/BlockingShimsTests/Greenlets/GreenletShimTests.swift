import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@testable import BlockingShims

@Suite struct GreenletShimTests {
    @Test(arguments: BlockingCall.Kind.allCases)
    func blockedGreenletLeavesTheLoopFree(kind: BlockingCall.Kind) async throws {  // S66a
        try await withReactor { reactor in
            let call = BlockingCall(kind)
            var ticks = 0
            // The fourth tick lets it through; those that end by themselves take longer than the first.
            let ticker = Greenlet.spawn { () async throws in
                while true {
                    try await reactor.sleep(for: .milliseconds(10))
                    ticks += 1
                    if ticks == 4, !kind.isTimer { call.release() }
                }
            }
            let start = reactor.now
            let (code, during) = try await Greenlet.spawn { () -> (Int32, Int) in
                let before = ticks
                let code = call.run()
                return (code, ticks - before)
            }.get()
            #expect(code == 0)
            #expect(during >= (kind.isTimer ? 1 : 4), "a blocked loop leaves none, and no release")
            if kind.isTimer { #expect(start.duration(to: reactor.now) >= .milliseconds(200)) }
            try await ticker.kill()
        }
    }

    @Test(arguments: BlockingCall.Kind.allCases)
    func killedGreenletGetsECANCELEDFromThisCallAndTheNext(kind: BlockingCall.Kind) async throws {
        try await withReactor { reactor in
            let call = BlockingCall(kind, milliseconds: 60_000)
            var codes: [Int32] = []
            let greenlet = Greenlet.spawn {
                for _ in 0..<3 { codes.append(call.run()) }
                try Greenlet.yield()  // the first Swift frame that waits
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await greenlet.kill()
            #expect(codes == [ECANCELED, ECANCELED, ECANCELED])
            await #expect(throws: GreenletExit.self) { try await greenlet.get() }
        }
    }

    @Test(arguments: BlockingCall.Kind.ofThreads)
    func outsideAGreenletTheCallBlocksItsThread(kind: BlockingCall.Kind) async throws {
        let start = monotonicNanoseconds()
        let code = await onThread {
            let call = BlockingCall(kind)
            nonisolated(unsafe) let releaser = call  // touches other descriptors than the call does
            let helper = PosixThread {
                usleep(50_000); releaser.release()
            }
            let code = call.run()
            helper.join()
            return code
        }
        #expect(code == 0)
        #expect(monotonicNanoseconds() - start >= 50_000_000)
    }

    @Test(arguments: [
        BlockingCall.Kind.poll, .recv, .recvmsg, .readSocket, .readPipe, .send, .writePipe, .accept,
    ])
    func closedDescriptorWakesItsWaiterWithEBADF(kind: BlockingCall.Kind) async throws {
        try await withReactor { reactor in
            let call = BlockingCall(kind)
            let fd = call.descriptor!  // these kinds have one
            let waiter = Greenlet.spawn { () -> Int32 in
                var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
                if kind == .poll {
                    return poll(&entry, 1, -1) == 1 && entry.revents == Int16(POLLNVAL) ? EBADF : -1
                }
                return call.run()
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { call.closeDescriptor() }.join()
            let code = try await waiter.get()
            #expect(code == EBADF)
        }
    }

    @Test func newOwnerOfANumberIsNotMistakenForTheOld() async throws {  // S66b
        try await withReactor { reactor in
            let old = Pair.pipes()
            let number = old.first
            let kept = dup(number)  // the old file lives on, and gets data
            let waiter = Greenlet.spawn { () -> Int32 in
                ReceiveTests.Call.read(number, 1).count < 0 ? errno : 0
            }
            try await reactor.sleep(for: .milliseconds(20))
            let new = Pair.pipes()
            // Closes the old file and gives its number to the new one in one step.
            try await Greenlet.spawn { _ = dup2(new.first, number) }.join()
            let newWaiter = Greenlet.spawn { ReceiveTests.Call.read(number, 1).bytes }
            _ = write(old.second, "o", 1)
            try await reactor.sleep(for: .milliseconds(20))
            #expect(!newWaiter.isReady)
            _ = write(new.second, "n", 1)
            let bytes = try await newWaiter.get()
            let code = try await waiter.get()
            #expect(code == EBADF)
            #expect(bytes == Array("n".utf8))
            close(kept)
        }
    }

    @Test func severalGreenletsMayWaitForOneDescriptor() async throws {
        try await withReactor { reactor in
            let listener = LoopbackListener()
            let greenlets = (0..<4).map { _ in Greenlet.spawn { accept(listener.fd, nil, nil) } }
            try await reactor.sleep(for: .milliseconds(20))
            let clients = (0..<4).map { _ in listener.connectClient() }
            for greenlet in greenlets {
                let fd = try await greenlet.get()
                #expect(fd >= 0)
                close(fd)
            }
            for client in clients { close(client) }
        }
    }

    @Test func errnoIsTheGreenletsOwn() async throws {
        try await withReactor { _ in
            let failing = Greenlet.spawn { () -> Int32 in
                errno = 0
                for _ in 0..<20 {
                    _ = close(-1)  // EBADF
                    usleep(1000)
                    if errno != EBADF { return -1 }
                }
                return errno
            }
            let other = Greenlet.spawn { () -> Int32 in
                errno = ENOENT
                for _ in 0..<20 { usleep(1000) }
                return errno
            }
            let codes = (try await failing.get(), try await other.get())
            #expect(codes == (EBADF, ENOENT))
        }
    }

    @Test func zeroTimeoutPollLetsOthersRun() async throws {
        try await withReactor { _ in
            var turns = 0
            let other = Greenlet.spawn { () async in
                while !Task.isCancelled {
                    turns += 1
                    await Greenlet.yield()
                }
            }
            let pair = Pair.sockets()
            try await Greenlet.spawn {
                for _ in 0..<50 {
                    var entry = pollfd(fd: pair.first, events: Int16(POLLIN), revents: 0)
                    #expect(poll(&entry, 1, 0) == 0)
                }
            }.get()
            #expect(turns >= 50)
            try await other.kill()
        }
    }

    @Test func timeOutsFollowTheReactorsClock() async throws {
        let clock = ManualClock(isAutomatic: true)
        try await withReactor(clock: clock) { _ in
            let pair = Pair.sockets()
            let code = try await Greenlet.spawn { () -> Int32 in
                sleep(3600)
                var entry = pollfd(fd: pair.first, events: Int16(POLLIN), revents: 0)
                let polled = poll(&entry, 1, 3_600_000)
                setTimeout(pair.first, SO_RCVTIMEO, milliseconds: 3_600_000)
                let received = ReceiveTests.Call.recv(pair.first, 1).count
                return polled == 0 && received == -1 ? errno : -1
            }.get()
            #expect(code == EAGAIN)
            #expect(ReactorInstant(nanoseconds: 0).duration(to: clock.now) >= .seconds(10_790))
        }
    }

    @Test func namesAreResolvedOnAWorkerThread() async throws {
        try await withReactor { reactor in
            let code = try await Greenlet.spawn { () -> Int32 in
                var found: UnsafeMutablePointer<addrinfo>?
                let code = getaddrinfo("localhost", "80", nil, &found)
                if code == 0 { freeaddrinfo(found) }
                return code
            }.get()
            #expect(code == 0)
            #expect(reactor.threadPool.threadCount == 1)
        }
    }

    @Test func linesOfOneStreamStayWhole() async throws {
        try await withReactor { reactor in
            let stream = Stream(.pipes(), "r")
            let greenlets = (0..<2).map { _ in
                Greenlet.spawn { StreamFunction.read("fgets", 100, stream.file) }
            }
            for letter in "first\nsecond\n" {
                try await reactor.sleep(for: .milliseconds(2))
                stream.feed(String(letter))
            }
            var lines: [String] = []
            for greenlet in greenlets {
                lines.append(String(decoding: try await greenlet.get() ?? [], as: UTF8.self))
            }
            #expect(lines == ["first\n", "second\n"])
        }
    }

    @Test func timedOutGreenletGetsETIMEDOUT() async throws {
        try await withReactor { reactor in
            let call = BlockingCall(.recv)
            let greenlet = Greenlet.spawn { call.run() }
            try await reactor.sleep(for: .milliseconds(20))
            try await greenlet.kill(throwing: ReactorError(.timedOut, "the request's deadline passed"))
            let code = try await greenlet.get()
            #expect(code == ETIMEDOUT)
        }
    }
}

/// Runs `body` on a fresh thread.
private func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        PosixThread { continuation.resume(returning: body()) }.detach()
    }
}
