import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct MessagesTests {
    /// As <sys/socket.h> has it under _GNU_SOURCE.
    private struct Message {
        var header = msghdr()
        var size: UInt32 = 0
    }
    private typealias Receive =
        @convention(c) (Int32, UnsafeMutableRawPointer, UInt32, Int32, UnsafeMutablePointer<timespec>?) ->
        Int32
    private typealias Send = @convention(c) (Int32, UnsafeMutableRawPointer, UInt32, Int32) -> Int32

    private static let waitForOne: Int32 = 0x10000

    /// Receives up to `count` messages of one byte each.
    private func receive(
        _ fd: Int32, _ count: Int, flags: Int32 = 0, timeout: UnsafeMutablePointer<timespec>? = nil
    ) -> (count: Int32, bytes: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = withParts(&bytes) {
            symbol("recvmmsg", as: Receive.self)(fd, $0, UInt32(count), flags, timeout)
        }
        return (result, Array(bytes.prefix(max(0, Int(result)))))
    }

    private func send(_ fd: Int32, _ bytes: [UInt8], flags: Int32 = 0) -> Int32 {
        var bytes = bytes
        let count = UInt32(bytes.count)
        return withParts(&bytes) { symbol("sendmmsg", as: Send.self)(fd, $0, count, flags) }
    }

    /// Calls `body` with one message for each byte.
    private func withParts(_ bytes: inout [UInt8], _ body: (UnsafeMutableRawPointer) -> Int32) -> Int32 {
        bytes.withUnsafeMutableBytes { bytes in
            var parts = bytes.indices.map { iovec(iov_base: bytes.baseAddress! + $0, iov_len: 1) }
            return parts.withUnsafeMutableBufferPointer { parts in
                var messages = parts.indices.map { index in
                    var message = Message()
                    message.header.msg_iov = parts.baseAddress! + index  // not empty either
                    message.header.msg_iovlen = 1
                    return message
                }
                return messages.withUnsafeMutableBytes { body($0.baseAddress!) }  // nor this
            }
        }
    }

    @Test func parksUntilAllMessagesAreThere() {
        let pair = Pair.sockets(SOCK_DGRAM)
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [
                { #expect(send(pair.second, [1, 2]) == 2) },
                { #expect(send(pair.second, [3]) == 1) },
            ]
            errno = ENOENT
            let received = receive(pair.first, 3)
            #expect(errno == ENOENT)
            #expect(received == (3, [1, 2, 3]))
        }
        #expect(scheduler.waits.count == 2)
    }

    @Test func waitForOneReturnsWhatIsThere() {
        let pair = Pair.sockets(SOCK_DGRAM)
        onFiber { scheduler in
            scheduler.whenParked = [{ #expect(send(pair.second, [1, 2]) == 2) }]
            let received = receive(pair.first, 5, flags: Self.waitForOne)
            #expect(received == (2, [1, 2]))
        }
    }

    @Test func timeoutIsLookedAtAfterAMessage() {
        let pair = Pair.sockets(SOCK_DGRAM)
        onFiber { scheduler in
            scheduler.whenParked = [{ #expect(send(pair.second, [1]) == 1) }]
            var timeout = timespec(tv_sec: 0, tv_nsec: 0)
            let received = receive(pair.first, 5, timeout: &timeout)
            #expect(received == (1, [1]))
        }
    }

    @Test func nonblockingDescriptorKeepsEAGAIN() {
        let pair = Pair.sockets(SOCK_DGRAM)
        setNonblocking(pair.first, true)
        let scheduler = onFiber { _ in
            #expect(receive(pair.first, 2).count == -1)
            #expect(errno == EAGAIN)
            #expect(send(pair.second, [1]) == 1)
            #expect(receive(pair.first, 2) == (1, [1]))
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test func endedFiberGetsECANCELED() {
        let pair = Pair.sockets(SOCK_DGRAM)
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            #expect(receive(pair.first, 2).count == -1)
            #expect(errno == ECANCELED)
        }
    }

    @Test(arguments: [SOCK_DGRAM, SOCK_STREAM])
    func sendingWaitsForRoomAndSendsAll(type: __socket_type) {
        let pair = Pair.sockets(type)
        let filled = pair.fill()
        #expect(filled > 0)
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [{ pair.drain() }]
            #expect(send(pair.second, [1, 2, 3]) == 3)
        }
        #expect(scheduler.waits.first == .init(fd: pair.second, events: POLLOUT))
    }

    @Test func offFibersTheyAreLibcs() {
        let pair = Pair.sockets(SOCK_DGRAM)
        #expect(send(pair.second, [1, 2]) == 2)
        #expect(receive(pair.first, 2) == (2, [1, 2]))
    }

    @Test func eventDescriptorsOwnCallsPark() {
        let event = eventfd(0, Int32(EFD_CLOEXEC))
        defer { close(event) }
        let scheduler = onFiber { scheduler in
            var value: eventfd_t = 0
            scheduler.whenParked = [{ #expect(eventfd_write(event, 7) == 0) }]
            #expect(eventfd_read(event, &value) == 0)
            #expect(value == 7)
            #expect(eventfd_write(event, UInt64.max - 1) == 0)
            scheduler.whenParked = [{ #expect(eventfd_read(event, &value) == 0) }]
            #expect(eventfd_write(event, 1) == 0)
            #expect(read(event, &value, 8) == 8 && value == 1)
        }
        #expect(scheduler.waits.count == 2)
    }

    @Test func terminalsParkForALine() throws {
        var (leader, follower): (Int32, Int32) = (-1, -1)
        try #require(openpty(&leader, &follower, nil, nil, nil) == 0)
        defer {
            close(leader)
            close(follower)
        }
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(leader, "line\n", 5) }]
            var bytes = [UInt8](repeating: 0, count: 16)
            #expect(read(follower, &bytes, 16) == 5)
            #expect(Array(bytes.prefix(5)) == Array("line\n".utf8))
        }
        #expect(scheduler.waits == [.init(fd: follower, events: POLLIN)])
    }
}
