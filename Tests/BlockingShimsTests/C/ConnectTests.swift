import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct ConnectTests {
    private func makeSocket(_ family: Int32 = AF_INET) -> Int32 {
        socket(family, Int32(SOCK_STREAM.rawValue), 0)
    }

    // MARK: connect

    @Test func connectsAndLeavesTheDescriptorBlocking() {
        let listener = LoopbackListener()
        let client = makeSocket()
        defer { close(client) }
        onFiber { _ in
            errno = ENOENT
            #expect(withAddress(listener.address) { connect(client, $0, $1) } == 0)
            #expect(errno == ENOENT)
        }
        #expect(!isNonblocking(client))
        var byte: UInt8 = 1
        #expect(send(client, &byte, 1, 0) == 1)
    }

    @Test func refusalIsECONNREFUSED() {
        let deaf = LoopbackListener(backlog: nil)
        defer { deaf.stop() }
        let address = deaf.address
        let client = makeSocket()
        defer { close(client) }
        onFiber { _ in
            #expect(withAddress(address) { connect(client, $0, $1) } == -1)
            #expect(errno == ECONNREFUSED)
        }
        #expect(!isNonblocking(client))
    }

    @Test func nonblockingDescriptorKeepsEINPROGRESS() {
        let (listener, fillers) = fullListener()
        defer { for fd in fillers { close(fd) } }
        let client = makeSocket()
        defer { close(client) }
        setNonblocking(client, true)
        let scheduler = onFiber { _ in
            #expect(withAddress(listener.address) { connect(client, $0, $1) } == -1)
            #expect(errno == EINPROGRESS)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test func sendTimeoutEndsAConnectWithEINPROGRESS() {
        let (listener, fillers) = fullListener()
        defer { for fd in fillers { close(fd) } }
        let client = makeSocket()
        defer { close(client) }
        setTimeout(client, SO_SNDTIMEO, milliseconds: 100)
        onFiber { scheduler in
            let run = timed { withAddress(listener.address) { connect(client, $0, $1) } }
            #expect(run.result == -1 && errno == EINPROGRESS)
            #expect(run.seconds >= 0.1 && scheduler.longestWait <= 200_000_000)
            #expect(scheduler.waits.first == .init(fd: client, events: POLLOUT))
        }
        #expect(!isNonblocking(client))
    }

    @Test func endedFiberGetsECANCELEDFromConnect() {
        let (listener, fillers) = fullListener()
        defer { for fd in fillers { close(fd) } }
        let client = makeSocket()
        defer { close(client) }
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            for _ in 0..<2 {
                #expect(withAddress(listener.address) { connect(client, $0, $1) } == -1)
                #expect(errno == ECANCELED)
            }
        }
    }

    @Test func fullUnixBacklogIsRetriedUntilThereIsRoom() {
        let (listener, name, length) = unixListener(backlog: 0)
        defer { close(listener) }
        let clients = (0..<8).map { _ in makeSocket(AF_UNIX) }
        defer { for fd in clients { close(fd) } }
        var waiting: Int32 = -1
        withAddress(name) { address, _ in
            for client in clients {
                setNonblocking(client, true)
                if connect(client, address, length) != 0 {
                    #expect(errno == EAGAIN)
                    waiting = client
                    break
                }
            }
            setNonblocking(waiting, false)
            onFiber { scheduler in
                scheduler.whenParked = [{}, {}, { close(accept(listener, nil, nil)) }]
                #expect(connect(waiting, address, length) == 0)
                #expect(scheduler.sleeps.count >= 3)
                #expect(scheduler.sleeps[2] - scheduler.sleeps[1] > 1_500_000, "the pauses grow")
            }
        }
    }

    @Test func sendTimeoutEndsTheWaitForAUnixBacklogWithEAGAIN() {
        let (listener, name, length) = unixListener(backlog: 0)
        defer { close(listener) }
        let clients = (0..<8).map { _ in makeSocket(AF_UNIX) }
        defer { for fd in clients { close(fd) } }
        onFiber { _ in
            withAddress(name) { address, _ in
                for client in clients {
                    setTimeout(client, SO_SNDTIMEO, milliseconds: 50)
                    if connect(client, address, length) != 0 { break }
                }
                #expect(errno == EAGAIN)
            }
        }
    }

    @Test func errorsAreLibcs() {
        let listener = LoopbackListener()
        let pipes = Pair.pipes()
        onFiber { _ in
            withAddress(listener.address) { address, length in
                #expect(connect(-1, address, length) == -1)
                #expect(errno == EBADF)
                #expect(connect(pipes.first, address, length) == -1)
                #expect(errno == ENOTSOCK)
            }
        }
    }

    // MARK: accept

    @Test(arguments: [false, true])
    func acceptParksUntilAConnectionComes(withFlags: Bool) {
        let listener = LoopbackListener()
        var client: Int32 = -1
        onFiber { scheduler in
            scheduler.whenParked = [{ client = listener.connectClient() }]
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let accepted = withUnsafeMutableBytes(of: &peer) { bytes in
                let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
                return withFlags
                    ? acceptCloseOnExec(listener.fd, address, &length) : accept(listener.fd, address, &length)
            }
            #expect(accepted >= 0)
            #expect(peer.sin_family == sa_family_t(AF_INET) && length == 16)
            #expect(!isNonblocking(accepted))
            #expect((fcntl(accepted, F_GETFD) & FD_CLOEXEC != 0) == withFlags)
            #expect(scheduler.waits == [.init(fd: listener.fd, events: POLLIN)])
            close(accepted)
        }
        close(client)
        #expect(!isNonblocking(listener.fd))
    }

    @Test func lostRaceForAConnectionIsWaitedOut() {
        let listener = LoopbackListener()
        var client: Int32 = -1
        onFiber { scheduler in
            scheduler.spuriousWakes = 2  // what it looks like when another process takes the connection
            scheduler.whenParked = [{ client = listener.connectClient() }]
            let accepted = accept(listener.fd, nil, nil)
            #expect(accepted >= 0)
            #expect(scheduler.waits.count == 3)
            close(accepted)
        }
        close(client)
    }

    @Test func nonblockingListenerKeepsEAGAIN() {
        let listener = LoopbackListener()
        setNonblocking(listener.fd, true)
        let scheduler = onFiber { _ in
            #expect(accept(listener.fd, nil, nil) == -1)
            #expect(errno == EAGAIN)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test func receiveTimeoutEndsAnAccept() {
        let listener = LoopbackListener()
        setTimeout(listener.fd, SO_RCVTIMEO, milliseconds: 100)
        onFiber { scheduler in
            let run = timed { accept(listener.fd, nil, nil) }
            #expect(run.result == -1 && errno == EAGAIN)
            #expect(run.seconds >= 0.1 && scheduler.longestWait <= 200_000_000)
        }
    }

    @Test func socketThatDoesNotListenIsEINVALAtOnce() {
        let client = makeSocket()
        defer { close(client) }
        onFiber { _ in
            #expect(accept(client, nil, nil) == -1)
            #expect(errno == EINVAL)
        }
    }

    @Test func endedFiberGetsECANCELEDFromAccept() {
        let listener = LoopbackListener()
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            #expect(accept(listener.fd, nil, nil) == -1)
            #expect(errno == ECANCELED)
        }
    }
}

/// accept4 with SOCK_CLOEXEC; declared for _GNU_SOURCE alone, so not in Swift's Glibc.
private func acceptCloseOnExec(
    _ fd: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
) -> Int32 {
    typealias Accept =
        @convention(c) (
            Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?, Int32
        ) -> Int32
    // The type is that of <sys/socket.h>.
    return unsafeBitCast(dlsym(nil, "accept4"), to: Accept.self)(
        fd, address, length, Int32(SOCK_CLOEXEC.rawValue))
}

/// A TCP listener whose backlog is full, so that further connections stay in progress, and the sockets that fill it.
func fullListener() -> (LoopbackListener, [Int32]) {
    let listener = LoopbackListener(backlog: 0)
    var fillers: [Int32] = []
    while !isFull(listener) {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        setNonblocking(client, true)
        fillers.append(client)
        _ = withAddress(listener.address) { connect(client, $0, $1) }
        var entry = pollfd(fd: client, events: Int16(POLLOUT), revents: 0)
        while !isFull(listener), poll(&entry, 1, 10) == 0 {}
    }
    return (listener, fillers)
}

/// Whether the kernel drops what comes: tcpi_unacked and tcpi_sacked are the length of a listener's queue and its limit.
private func isFull(_ listener: LoopbackListener) -> Bool {
    var info = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    let result = getsockopt(listener.fd, Int32(IPPROTO_TCP), TCP_INFO, &info, &length)
    precondition(result == 0, "TCP_INFO failed: \(errno)")
    return info.tcpi_unacked > info.tcpi_sacked
}

/// A UNIX listener under an abstract name that the kernel chose.
private func unixListener(backlog: Int32) -> (fd: Int32, name: sockaddr_un, length: socklen_t) {
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    _ = withAddress(name) { address, _ in bind(fd, address, socklen_t(MemoryLayout<sa_family_t>.size)) }
    listen(fd, backlog)
    var length = socklen_t(MemoryLayout<sockaddr_un>.size)
    withUnsafeMutableBytes(of: &name) { bytes in
        _ = getsockname(fd, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
    }
    return (fd, name, length)
}
