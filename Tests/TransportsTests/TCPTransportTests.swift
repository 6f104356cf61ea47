import Glibc
import NIOCore
import ReactorCore
import ReactorTesting
import TestNetworks
import Testing
import Transports

@Suite(.timeLimit(.minutes(10))) struct TCPTransportTests {
    @Test func bytesGoBothWaysAndBothEndsHearOfTheEndOnce() async throws {
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            pair.client.transport?.write("question")
            try await eventually { pair.server.text == "question" }
            pair.server.transport?.write("answer")
            try await eventually { pair.client.text == "answer" }

            pair.client.transport?.loseConnection()
            try await eventually { pair.server.end != nil && pair.client.end != nil }
            pair.port.stopListening()

            #expect(pair.client.events == ["made", "data", "lost"])
            #expect(pair.server.events == ["made", "data", "lost"])
            #expect(pair.client.end!.isClean)
            #expect(pair.server.end!.isClean)
            #expect(pair.port.connections.isEmpty)
        }
    }

    @Test func loseConnectionSendsEverythingFirst() async throws {
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            let bytes = ByteBuffer(repeating: 7, count: 5_000_000)
            pair.server.transport?.write(bytes)
            pair.server.transport?.loseConnection()
            #expect(pair.server.transport!.isDisconnecting)
            pair.server.transport?.write("ignored")
            try await eventually { pair.client.end != nil && pair.server.end != nil }
            pair.port.stopListening()

            #expect(pair.client.received == bytes)
            #expect(pair.client.end!.isClean)
            #expect(pair.server.end!.isClean)
        }
    }

    @Test func abortDropsWhatIsUnsentAndResetsThePeer() async throws {  // S66
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            pair.server.transport?.pauseProducing()
            pair.client.transport?.write(ByteBuffer(repeating: 7, count: 50_000_000))
            #expect(pair.client.transport!.unsentByteCount > 0)
            pair.client.transport?.abortConnection()
            #expect(pair.client.end == nil)  // told later, never inside the call
            pair.client.transport?.abortConnection()
            try await eventually { pair.client.end != nil }
            pair.server.transport?.resumeProducing()
            try await eventually { pair.server.end != nil }
            pair.port.stopListening()

            #expect(pair.client.end!.isAborted)
            #expect(pair.client.events == ["made", "lost"])
            #expect(pair.server.end!.error?.code == .connectionLost)
            #expect(pair.server.end!.error?.message.contains("127.0.0.1") == true)
        }
    }

    @Test func abortInsideDataReceivedEndsOnce() async throws {  // S66 test_dataReceivedAbort
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            pair.server.onData = { server, _ in
                server.transport?.write("lost anyway")
                server.transport?.abortConnection()
                server.transport?.loseConnection()
            }
            pair.client.transport?.write("x")
            try await eventually { pair.client.end != nil && pair.server.end != nil }
            pair.port.stopListening()

            #expect(pair.server.events == ["made", "data", "lost"])
            #expect(pair.server.end!.isAborted)
            #expect(pair.client.text == "")
        }
    }

    @Test func peerThatClosesWhileWePauseIsNoticedAfterResume() async throws {  // S65
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            pair.server.transport?.pauseProducing()
            pair.client.transport?.write("last words")
            pair.client.transport?.loseConnection()
            try await eventually { pair.client.end != nil }
            try await reactor.sleep(for: .milliseconds(20))
            #expect(pair.server.events == ["made"])

            pair.server.transport?.resumeProducing()
            try await eventually { pair.server.end != nil }
            pair.port.stopListening()
            #expect(pair.server.events == ["made", "data", "lost"])
            #expect(pair.server.text == "last words")
        }
    }

    /// Whoever does not read cannot take the peer's end out of the kernel, which then must not wake the loop all the time.
    @Test func pausedConnectionWhosePeerEndedDoesNotSpin() async throws {
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            pair.client.transport?.pauseProducing()
            pair.server.transport?.pauseProducing()
            pair.server.transport?.write(ByteBuffer(repeating: 1, count: 20_000_000))
            pair.client.transport?.loseWriteConnection()
            try await reactor.sleep(for: .milliseconds(20))

            let before = processorTime()
            try await reactor.sleep(for: .milliseconds(200))
            let used = processorTime() - before
            #expect(used < .milliseconds(100), "a spinning loop would have used 200 ms")
            try await pair.close()
        }
    }

    /// Anybody can send one; epoll reports it as EPOLLPRI for as long as it is not read.
    @Test func urgentByteDoesNotSpin() async throws {
        try await withNetwork { reactor in
            let server = Recorder()
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { server }
            let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            address.sin_port = in_port_t(port.port).bigEndian
            let connected = withUnsafeBytes(of: &address) { raw in
                // C's own cast.
                connect(fd, raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
            }
            #expect(connected == 0)
            _ = send(fd, "a!", 2, Int32(MSG_OOB))
            try await eventually { server.text == "a" }

            let before = processorTime()
            try await reactor.sleep(for: .milliseconds(100))
            let used = processorTime() - before
            #expect(used < .milliseconds(10))
            _ = send(fd, "b", 1, 0)
            try await eventually { server.text == "ab" }
            close(fd)
            try await eventually { server.end != nil }
            port.stopListening()
        }
    }

    @Test func resumeAfterLoseConnectionReceivesNothing() async throws {
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            pair.server.transport?.pauseProducing()
            pair.client.transport?.write("unread")
            pair.server.transport?.loseConnection()
            pair.server.transport?.resumeProducing()
            try await eventually { pair.client.end != nil && pair.server.end != nil }
            pair.port.stopListening()
            #expect(pair.server.events == ["made", "lost"])
        }
    }

    @Test func producerIsPausedAboveTheMarkAndResumedAtZero() async throws {  // S64
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            pair.server.transport?.pauseProducing()
            let producer = CountingProducer()
            let transport = pair.client.transport!
            transport.registerProducer(producer)
            while transport.unsentByteCount <= transport.highWaterMark {
                #expect(producer.log.isEmpty)
                transport.write(ByteBuffer(repeating: 1, count: 30_000))
            }
            #expect(producer.log == ["pause"])
            transport.write("more")
            #expect(producer.log == ["pause"])

            pair.server.transport?.resumeProducing()
            try await eventually { producer.log == ["pause", "resume"] }
            #expect(transport.unsentByteCount == 0)
            try await pair.close()
            #expect(producer.log == ["pause", "resume", "stop"])
        }
    }

    @Test func producerOfAnEndedConnectionIsStopped() async throws {
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            try await pair.close()
            let producer = CountingProducer()
            pair.client.transport?.registerProducer(producer)
            #expect(producer.log == ["stop"])
        }
    }

    @Test func serverDoesNotReadWhileItsAnswersAreUnread() async throws {
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            pair.server.onData = { server, data in
                // A twentyfold answer, as a service that is asked and not read gives.
                for _ in 0..<20 { server.transport?.write(data) }
            }
            pair.client.transport?.pauseProducing()
            for _ in 0..<200 {
                pair.client.transport?.write(ByteBuffer(repeating: 1, count: 10_000))
                await reactor.yield()
            }
            // Time in which an unbounded server would read all of it.
            try await reactor.sleep(for: .milliseconds(200))
            // One read of 64 KiB, times twenty; unbounded it would be 40 MB.
            #expect(pair.server.transport!.unsentByteCount < 1_500_000)

            pair.client.transport?.resumeProducing()
            try await eventually { pair.client.received.readableBytes == 40_000_000 }
            try await pair.close()
        }
    }

    @Test func halfClosedPeerStillGetsItsAnswer() async throws {
        try await withNetwork { reactor in
            let server = HalfOpen()
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { server }
            let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
            client.transport?.write("question")
            client.transport?.loseWriteConnection()
            client.transport?.write("ignored")
            try await eventually { server.inputEnded }
            #expect(client.end == nil)
            server.transport?.write("answer")
            server.transport?.loseConnection()
            try await eventually { client.end != nil && server.end != nil }
            port.stopListening()

            #expect(server.text == "question")
            #expect(client.text == "answer")
            #expect(client.end!.isClean)
            #expect(server.end!.isClean)
        }
    }

    @Test func answerSurvivesAPeerThatIsStillSending() async throws {
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            pair.server.onData = { server, _ in
                server.transport?.write("too much")
                server.transport?.loseConnection()
            }
            for _ in 0..<50 { pair.client.transport?.write(ByteBuffer(repeating: 1, count: 100_000)) }
            try await eventually { pair.client.end != nil && pair.server.end != nil }
            pair.port.stopListening()
            #expect(pair.client.text == "too much")
            #expect(pair.client.end!.isClean)
        }
    }

    @Test func oneConnectionReceivesAtMost64KiBATurn() async throws {
        try await withNetwork { reactor in
            let pair = try await TCPPair(reactor)
            var largest = 0
            pair.server.onData = { _, data in largest = max(largest, data.readableBytes) }
            pair.client.transport?.write(ByteBuffer(repeating: 1, count: 2_000_000))
            try await eventually { pair.server.received.readableBytes == 2_000_000 }
            #expect(largest <= 65_536)
            try await pair.close()
        }
    }

    /// In a process of its own, where nobody else opens sockets.
    @Test func noWayToEndLeavesASocket() async {
        await #expect(processExitsWith: .success) {
            // Sockets only: the test library opens a timer now and then.
            func count() -> Int {
                (0..<Int32(1024)).count { fd in
                    var kind: Int32 = 0
                    var length = socklen_t(MemoryLayout<Int32>.size)
                    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &length) == 0
                }
            }
            let reactor = Reactor()
            try reactor.run(until: {
                let port = try reactor.listenTCP("127.0.0.1", port: 0) { Echo() }
                let refusing = try reactor.listenTCP("127.0.0.1", port: 0) { nil }
                let before = count()
                for round in 0..<50 {
                    let client = try await reactor.connectTCP("127.0.0.1", port: port.port) { Recorder() }
                    client.transport?.write("x")
                    switch round % 4 {
                    case 0: client.transport?.loseConnection()
                    case 1: client.transport?.abortConnection()
                    case 2: client.transport?.loseWriteConnection()
                    default:
                        client.transport?.write(ByteBuffer(repeating: 1, count: 10_000_000))
                        client.transport?.abortConnection()
                    }
                    let refused = try await reactor.connectTCP("127.0.0.1", port: refusing.port) {
                        Recorder()
                    }
                    try await eventually {
                        client.end != nil && refused.end != nil && port.connections.isEmpty
                    }
                }
                let after = count()
                precondition(after == before, "\(before) sockets became \(after)")
                port.stopListening()
                refusing.stopListening()
                precondition(count() == before - 2, "a listener left a descriptor")
            })
            exit(0)
        }
    }

    @Test func handingTheConnectionToAnotherProtocolMidway() async throws {
        try await withNetwork { reactor in
            let second = Recorder()
            let pair = try await TCPPair(reactor)
            pair.server.onData = { server, _ in server.transport?.attach(second) }
            pair.client.transport?.write("first")
            try await eventually { !second.events.isEmpty }
            pair.client.transport?.write("second")
            try await eventually { second.text == "second" }
            pair.port.stopListening()
            pair.client.transport?.loseConnection()
            try await eventually { second.end != nil && pair.client.end != nil }
            #expect(pair.server.end == nil)
        }
    }
}

/// What the calling thread has used of a processor.
private func processorTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

@ReactorActor
private final class Echo: ConnectionProtocol {
    var transport: (any Transport)?
    func dataReceived(_ data: ByteBuffer) { transport?.write(data) }
}

@ReactorActor
private final class HalfOpen: HalfCloseableProtocol {
    var transport: (any Transport)?
    var text = ""
    var inputEnded = false
    var end: ConnectionEnd?
    func dataReceived(_ data: ByteBuffer) { text += String(decoding: data.readableBytesView, as: UTF8.self) }
    func readConnectionLost() { inputEnded = true }
    func connectionLost(_ reason: ConnectionEnd) { end = reason }
}
