import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct SendTests {
    /// Every way to write to a socket.
    enum Call: CaseIterable {
        case send, sendto, sendmsg, write, writev

        static let withFlags: [Call] = [.send, .sendto, .sendmsg]

        func callAsFunction(_ fd: Int32, _ bytes: [UInt8], _ flags: Int32 = 0) -> Int {
            bytes.withUnsafeBytes { buffer -> Int in
                let base = UnsafeMutableRawPointer(mutating: buffer.baseAddress!)
                let size = bytes.count
                var parts = [
                    iovec(iov_base: base, iov_len: size / 3),
                    iovec(iov_base: base, iov_len: 0),
                    iovec(iov_base: base + size / 3, iov_len: size - size / 3),
                ]
                switch self {
                case .send: return Glibc.send(fd, base, size, flags)
                case .sendto: return Glibc.sendto(fd, base, size, flags, nil, 0)
                case .sendmsg:
                    return parts.withUnsafeMutableBufferPointer { parts in
                        var message = msghdr()
                        message.msg_iov = parts.baseAddress
                        message.msg_iovlen = parts.count
                        return Glibc.sendmsg(fd, &message, flags)
                    }
                case .write: return Glibc.write(fd, base, size)
                case .writev: return Glibc.writev(fd, &parts, 3)
                }
            }
        }
    }

    private static let noSignal = Int32(MSG_NOSIGNAL)

    @Test(arguments: Call.allCases)
    func sendsAllOverSeveralParks(call: Call) {
        let pair = Pair.sockets()
        let bytes = (0..<500_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        var received: [UInt8] = []
        func take() {
            var chunk = [UInt8](repeating: 0, count: 1 << 20)
            setNonblocking(pair.first, true)
            while true {
                let count = read(pair.first, &chunk, chunk.count)
                guard count > 0 else { return }
                received += chunk.prefix(count)
            }
        }
        onFiber { scheduler in
            scheduler.whenParked = Array(repeating: { take() }, count: 1000)
            errno = ENOENT
            #expect(call(pair.second, bytes) == bytes.count)
            #expect(errno == ENOENT)
            #expect(scheduler.waits.count > 1)
            #expect(scheduler.waits[0] == .init(fd: pair.second, events: POLLOUT))
        }
        take()
        #expect(received == bytes)
    }

    @Test(arguments: Call.allCases)
    func nonblockingDescriptorKeepsPartialCountsAndEAGAIN(call: Call) {
        let pair = Pair.sockets()
        setNonblocking(pair.second, true)
        let bytes = [UInt8](repeating: 1, count: 4_000_000)
        let scheduler = onFiber { _ in
            let count = call(pair.second, bytes)
            #expect(count > 0 && count < bytes.count)
            var last = 0
            for _ in 0..<1000 {
                last = call(pair.second, [1])
                if last < 0 { break }
            }
            #expect(last == -1 && errno == EAGAIN)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: Call.allCases)
    func sendTimeoutGivesTheCountSoFarThenEAGAIN(call: Call) {
        let pair = Pair.sockets()
        setTimeout(pair.second, SO_SNDTIMEO, milliseconds: 50)
        onFiber { scheduler in
            let bytes = [UInt8](repeating: 1, count: 4_000_000)
            let count = call(pair.second, bytes)
            #expect(count > 0 && count < bytes.count)
            let run = timed { call(pair.second, bytes) }
            #expect(run.result == -1 && errno == EAGAIN)
            #expect(run.seconds >= 0.05 && scheduler.longestWait <= 100_000_000)
        }
    }

    @Test(arguments: Call.allCases)
    func endedFiberGetsTheCountSoFarThenECANCELED(call: Call) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            let bytes = [UInt8](repeating: 1, count: 4_000_000)
            let count = call(pair.second, bytes)
            #expect(count > 0 && count < bytes.count)
            for _ in 0..<2 {
                #expect(call(pair.second, bytes) == -1)
                #expect(errno == ECANCELED)
            }
        }
    }

    @Test(arguments: Call.withFlags)
    func brokenConnectionIsEPIPE(call: Call) {
        let pair = Pair.sockets()
        pair.closeFirst()
        onFiber { _ in
            #expect(call(pair.second, [1], Self.noSignal) == -1)
            #expect(errno == EPIPE)
        }
    }

    @Test func peerThatGoesAwayMeanwhileLeavesThePartialCountAndNoSignal() {
        // SIGPIPE's default action would end the process here.
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [{ pair.closeFirst() }]
            let bytes = [UInt8](repeating: 1, count: 4_000_000)
            let count = Call.send(pair.second, bytes)
            #expect(count > 0 && count < bytes.count)
            #expect(Call.send(pair.second, bytes, Self.noSignal) == -1)
            #expect(errno == EPIPE)
        }
    }

    @Test(arguments: Call.withFlags)
    func dontWaitIsEAGAINWithoutParking(call: Call) {
        let pair = Pair.sockets()
        _ = pair.fill()
        let scheduler = onFiber { _ in
            #expect(call(pair.second, [1], Int32(MSG_DONTWAIT)) == -1)
            #expect(errno == EAGAIN)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test func datagramsToAFullUnconnectedPeerAreRetriedWithPauses() {
        // The kernel's POLLOUT says nothing of the queue of a peer that the socket is not connected to.
        let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(receiver) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        var length = socklen_t(MemoryLayout<sa_family_t>.size)
        _ = withAddress(name) { address, _ in bind(receiver, address, length) }  // autobind: an abstract name
        length = socklen_t(MemoryLayout<sockaddr_un>.size)
        withUnsafeMutableBytes(of: &name) { bytes in
            _ = getsockname(receiver, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        let sender = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(sender) }
        onFiber { scheduler in
            var sent = 0
            withAddress(name) { address, _ in
                while sendto(sender, "x", 1, Int32(MSG_DONTWAIT), address, length) == 1 { sent += 1 }
                var byte: UInt8 = 0
                scheduler.whenParked = [{}, {}, {}, {}, { _ = recv(receiver, &byte, 1, 0) }]
                #expect(sendto(sender, "x", 1, 0, address, length) == 1)
            }
            #expect(sent > 0)
            #expect(!scheduler.sleeps.isEmpty)
        }
    }
}
