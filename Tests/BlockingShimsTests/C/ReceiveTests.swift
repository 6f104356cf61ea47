import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct ReceiveTests {
    typealias ReceiveChecked = @convention(c) (Int32, UnsafeMutableRawPointer, Int, Int, Int32) -> Int
    typealias ReceiveFromChecked =
        @convention(c) (
            Int32, UnsafeMutableRawPointer, Int, Int, Int32, UnsafeMutablePointer<sockaddr>?,
            UnsafeMutablePointer<socklen_t>?
        ) -> Int
    typealias ReadChecked = @convention(c) (Int32, UnsafeMutableRawPointer, Int, Int) -> Int

    /// Every way to read from a socket.
    enum Call: CaseIterable {
        case recv, recvfrom, recvmsg, checkedRecv, checkedRecvfrom, read, readv, checkedRead

        /// Those that take flags.
        static let withFlags: [Call] = [.recv, .recvfrom, .recvmsg, .checkedRecv, .checkedRecvfrom]

        func callAsFunction(_ fd: Int32, _ size: Int, _ flags: Int32 = 0) -> (count: Int, bytes: [UInt8]) {
            var bytes = [UInt8](repeating: 0, count: size)
            let count = bytes.withUnsafeMutableBytes { buffer -> Int in
                let base = buffer.baseAddress!
                // Two parts, so that resumption inside a part is exercised.
                var parts = [
                    iovec(iov_base: base, iov_len: size / 3),
                    iovec(iov_base: base + size / 3, iov_len: size - size / 3),
                ]
                switch self {
                case .recv: return Glibc.recv(fd, base, size, flags)
                case .recvfrom: return Glibc.recvfrom(fd, base, size, flags, nil, nil)
                case .recvmsg:
                    return parts.withUnsafeMutableBufferPointer { parts in
                        var message = msghdr()
                        message.msg_iov = parts.baseAddress
                        message.msg_iovlen = parts.count
                        return Glibc.recvmsg(fd, &message, flags)
                    }
                case .read: return Glibc.read(fd, base, size)
                case .readv: return Glibc.readv(fd, &parts, 2)
                // The types of the next three are those of <bits/socket2.h> and <bits/unistd.h>.
                case .checkedRecv:
                    return unsafeBitCast(dlsym(nil, "__recv_chk"), to: ReceiveChecked.self)(
                        fd, base, size, size, flags)
                case .checkedRecvfrom:
                    return unsafeBitCast(dlsym(nil, "__recvfrom_chk"), to: ReceiveFromChecked.self)(
                        fd, base, size, size, flags, nil, nil)
                case .checkedRead:
                    return unsafeBitCast(dlsym(nil, "__read_chk"), to: ReadChecked.self)(fd, base, size, size)
                }
            }
            return (count, Array(bytes.prefix(max(0, count))))
        }
    }

    @Test(arguments: Call.allCases)
    func parksUntilDataIsThere(call: Call) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pair.second, "hello", 5) }]
            errno = ENOENT
            let (count, bytes) = call(pair.first, 100)
            #expect(errno == ENOENT, "success leaves errno alone")
            #expect(count == 5)
            #expect(bytes == Array("hello".utf8))
            #expect(scheduler.waits == [.init(fd: pair.first, events: POLLIN)])
        }
    }

    @Test(arguments: Call.allCases)
    func dataThatIsThereIsTakenWithoutParking(call: Call) {
        let pair = Pair.sockets()
        _ = write(pair.second, "hello", 5)
        let scheduler = onFiber { _ in #expect(call(pair.first, 100).count == 5) }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: Call.allCases)
    func endOfStreamIsZero(call: Call) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [{ pair.closeSecond() }]
            #expect(call(pair.first, 100).count == 0)
        }
    }

    @Test(arguments: Call.allCases)
    func nonblockingDescriptorKeepsEAGAIN(call: Call) {
        let pair = Pair.sockets()
        setNonblocking(pair.first, true)
        let scheduler = onFiber { _ in
            #expect(call(pair.first, 100).count == -1)
            #expect(errno == EAGAIN)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: Call.allCases)
    func receiveTimeoutIsHonoured(call: Call) {
        let pair = Pair.sockets()
        setTimeout(pair.first, SO_RCVTIMEO, milliseconds: 100)
        onFiber { scheduler in
            let run = timed { call(pair.first, 100).count }
            #expect(run.result == -1 && errno == EAGAIN)
            #expect(run.seconds >= 0.1 && scheduler.longestWait <= 200_000_000)
        }
    }

    @Test(arguments: Call.allCases)
    func endedFiberGetsECANCELEDAgainAndAgain(call: Call) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            for _ in 0..<3 {
                #expect(call(pair.first, 100).count == -1)
                #expect(errno == ECANCELED)
            }
        }
    }

    @Test(arguments: Call.allCases)
    func descriptorClosedWhileWaitedForIsEBADF(call: Call) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.refusals[pair.first] = EBADF
            #expect(call(pair.first, 100).count == -1)
            #expect(errno == EBADF)
        }
    }

    @Test(arguments: Call.withFlags)
    func dontWaitIsEAGAINWithoutParking(call: Call) {
        let pair = Pair.sockets()
        let scheduler = onFiber { _ in
            #expect(call(pair.first, 100, Int32(MSG_DONTWAIT)).count == -1)
            #expect(errno == EAGAIN)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: Call.withFlags)
    func waitAllCollectsPieces(call: Call) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = ["ab", "cde", "f", "ghij"].map { (text: String) in
                { _ = write(pair.second, text, text.utf8.count) }
            }
            let (count, bytes) = call(pair.first, 10, Int32(MSG_WAITALL))
            #expect(count == 10)
            #expect(bytes == Array("abcdefghij".utf8))
        }
    }

    @Test(arguments: Call.withFlags)
    func waitAllEndsShortAtEndOfStreamAndAtTheTimeout(call: Call) {
        let pair = Pair.sockets()
        setTimeout(pair.first, SO_RCVTIMEO, milliseconds: 50)
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pair.second, "abc", 3) }]
            #expect(call(pair.first, 10, Int32(MSG_WAITALL)).count == 3)
            scheduler.whenParked = [
                { _ = write(pair.second, "de", 2) }, { pair.closeSecond() },
            ]
            #expect(call(pair.first, 10, Int32(MSG_WAITALL)).count == 2)
        }
    }

    @Test(arguments: Call.withFlags)
    func waitAllOnMessagesReturnsOneMessage(call: Call) {
        let pair = Pair.sockets(SOCK_DGRAM)
        onFiber { scheduler in
            scheduler.whenParked = [
                {
                    _ = write(pair.second, "abc", 3)
                    _ = write(pair.second, "def", 3)
                }
            ]
            #expect(call(pair.first, 10, Int32(MSG_WAITALL)).bytes == Array("abc".utf8))
        }
    }

    @Test(arguments: Call.withFlags)
    func peekLeavesTheData(call: Call) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pair.second, "abc", 3) }]
            #expect(call(pair.first, 10, Int32(MSG_PEEK)).bytes == Array("abc".utf8))
            #expect(call(pair.first, 10).bytes == Array("abc".utf8))
        }
    }

    @Test func peekForAllWaitsForAll() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [
                { _ = write(pair.second, "abc", 3) }, { _ = write(pair.second, "def", 3) },
            ]
            let flags = Int32(MSG_PEEK | MSG_WAITALL)
            #expect(Call.recv(pair.first, 6, flags).bytes == Array("abcdef".utf8))
            #expect(scheduler.sleeps.count == 1, "data already there is not waited for in a loop")
        }
    }

    @Test func senderAddressIsReported() {
        let listener = LoopbackListener()
        let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let sender = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer {
            close(datagrams)
            close(sender)
        }
        _ = withAddress(listener.address) { bind(datagrams, $0, $1) }
        onFiber { scheduler in
            scheduler.whenParked = [
                { _ = withAddress(listener.address) { sendto(sender, "x", 1, 0, $0, $1) } }
            ]
            var from = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            var byte: UInt8 = 0
            let count = withUnsafeMutableBytes(of: &from) { bytes in
                recvfrom(
                    datagrams, &byte, 1, 0, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length
                )
            }
            #expect(count == 1 && length == 16)
            #expect(from.sin_family == sa_family_t(AF_INET) && from.sin_port != 0)
        }
    }

    @Test func passedDescriptorsArrive() {
        let pair = Pair.sockets()
        let passed = Pair.pipes()
        onFiber { scheduler in
            scheduler.whenParked = [{ sendDescriptor(passed.second, over: pair.second) }]
            let received = receiveDescriptor(from: pair.first)
            #expect(received >= 0)
            #expect(write(received, "z", 1) == 1)
            close(received)
        }
        var byte: UInt8 = 0
        #expect(read(passed.first, &byte, 1) == 1 && byte == UInt8(ascii: "z"))
    }
}

private let controlSize = 24  // CMSG_SPACE(sizeof(int)) on 64-bit Linux

private func sendDescriptor(_ fd: Int32, over socket: Int32) {
    var control = [UInt64](repeating: 0, count: controlSize / 8)
    control.withUnsafeMutableBytes { bytes in
        // struct cmsghdr: length, level, type; then the descriptor.
        bytes.storeBytes(of: 20, as: Int.self)
        bytes.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
        bytes.storeBytes(of: 1, toByteOffset: 12, as: Int32.self)  // SCM_RIGHTS
        bytes.storeBytes(of: fd, toByteOffset: 16, as: Int32.self)
        withMessage(bytes) { message in #expect(sendmsg(socket, &message, 0) == 1) }
    }
}

private func receiveDescriptor(from socket: Int32) -> Int32 {
    var control = [UInt64](repeating: 0, count: controlSize / 8)
    return control.withUnsafeMutableBytes { bytes in
        withMessage(bytes) { message in
            #expect(recvmsg(socket, &message, 0) == 1)
            #expect(message.msg_controllen == controlSize)
        }
        return bytes.load(fromByteOffset: 16, as: Int32.self)
    }
}

private func withMessage(_ control: UnsafeMutableRawBufferPointer, _ body: (inout msghdr) -> Void) {
    var byte: UInt8 = 1
    withUnsafeMutablePointer(to: &byte) { byte in
        var part = iovec(iov_base: byte, iov_len: 1)
        withUnsafeMutablePointer(to: &part) { part in
            var message = msghdr()
            message.msg_iov = part
            message.msg_iovlen = 1
            message.msg_control = control.baseAddress
            message.msg_controllen = control.count
            body(&message)
        }
    }
}
