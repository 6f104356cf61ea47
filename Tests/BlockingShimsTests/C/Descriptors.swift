import CLinux
import Glibc

/// Two connected descriptors, closed at the end of the scope that holds them.
final class Pair {
    let first: Int32
    let second: Int32
    private var isFirstOpen = true
    private var isSecondOpen = true

    /// A pair of connected UNIX sockets in blocking mode.
    static func sockets(_ type: __socket_type = SOCK_STREAM) -> Pair {
        var fds: [Int32] = [-1, -1]
        precondition(socketpair(AF_UNIX, Int32(type.rawValue), 0, &fds) == 0, "socketpair failed: \(errno)")
        return Pair(fds, isInherited: false)
    }

    /// A pipe in blocking mode: `first` reads, `second` writes.
    ///
    /// - Parameter isInherited: the programs that this process runs have it, too. Those of the tests beside, which keep it
    ///   from ending for as long as they live, are among them.
    static func pipes(isInherited: Bool = false) -> Pair {
        var fds: [Int32] = [-1, -1]
        precondition(pipe(&fds) == 0, "pipe failed: \(errno)")
        return Pair(fds, isInherited: isInherited)
    }

    private init(_ fds: [Int32], isInherited: Bool) {
        (first, second) = (fds[0], fds[1])
        if !isInherited { for fd in fds { _ = fcntl(fd, F_SETFD, FD_CLOEXEC) } }
    }

    deinit {
        closeFirst()
        closeSecond()
    }

    func closeFirst() {
        if isFirstOpen { close(first) }
        isFirstOpen = false
    }

    func closeSecond() {
        if isSecondOpen { close(second) }
        isSecondOpen = false
    }

    /// Fills `second`'s way to `first` until nothing more fits; returns how many bytes did.
    func fill() -> Int {
        setNonblocking(second, true)
        defer { setNonblocking(second, false) }
        let chunk = [UInt8](repeating: 0x55, count: 65536)
        var total = 0
        for size in [65536, 4096, 1] {
            while true {
                let count = write(second, chunk, size)
                guard count > 0 else { break }
                total += count
            }
        }
        return total
    }

    /// Reads all that `first` has now; returns how many bytes.
    @discardableResult
    func drain() -> Int {
        setNonblocking(first, true)
        defer { setNonblocking(first, false) }
        var chunk = [UInt8](repeating: 0, count: 65536)
        var total = 0
        while true {
            let count = read(first, &chunk, chunk.count)
            guard count > 0 else { return total }
            total += count
        }
    }
}

/// A number that was open, is not, and will not be: the kernel gives the tests beside this one lower numbers. It is
/// near the most descriptors the process may have; hundreds are open while the tests run.
func closedDescriptor() -> Int32 {
    let most = min(Int32(clamping: sysconf(Int32(_SC_OPEN_MAX))), DescriptorSet.capacity)
    let fd = fcntl(STDERR_FILENO, F_DUPFD, most - 8)
    precondition(fd >= 0, "F_DUPFD failed: \(errno)")
    close(fd)
    return fd
}

/// What `select` takes, for higher numbers too: an `fd_set` ends at descriptor 1023, `select` does not.
struct DescriptorSet {
    static let capacity: Int32 = 65_536
    private var bytes = [UInt8](repeating: 0, count: Int(capacity) / 8)

    init(_ fds: Int32...) {
        for fd in fds { bytes[Int(fd) / 8] |= 1 << UInt8(fd % 8) }
    }

    func contains(_ fd: Int32) -> Bool { bytes[Int(fd) / 8] & 1 << UInt8(fd % 8) != 0 }

    /// Calls `body` with what C takes for the set.
    mutating func withFdSet<Result>(_ body: (UnsafeMutablePointer<fd_set>) -> Result) -> Result {
        bytes.withUnsafeMutableBytes { body($0.baseAddress!.assumingMemoryBound(to: fd_set.self)) }
    }
}

func setNonblocking(_ fd: Int32, _ isOn: Bool) {
    let flags = fcntl(fd, F_GETFL)
    _ = fcntl(fd, F_SETFL, isOn ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)
}

func isNonblocking(_ fd: Int32) -> Bool { fcntl(fd, F_GETFL) & O_NONBLOCK != 0 }

/// Sets SO_RCVTIMEO or SO_SNDTIMEO.
func setTimeout(_ fd: Int32, _ option: Int32, milliseconds: Int) {
    var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    setsockopt(fd, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
}

/// Calls `body` with a C socket address.
func withAddress<Address, Result>(
    _ address: Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    withUnsafeBytes(of: address) { bytes in
        body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
}

/// A TCP socket on a free port of the loopback interface, which listens unless it has no backlog: then nobody else can
/// listen on its port either.
final class LoopbackListener {
    let fd: Int32
    let address: sockaddr_in
    private var isOpen = true

    init(backlog: Int32? = 16) {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = fd
        precondition(withAddress(address) { bind(listener, $0, $1) } == 0, "bind failed: \(errno)")
        if let backlog { precondition(listen(listener, backlog) == 0, "listen failed: \(errno)") }
        withUnsafeMutableBytes(of: &address) { bytes in
            _ = getsockname(listener, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
        }
        self.address = address
    }

    deinit { stop() }

    /// Closes the socket. Its number may be another's afterwards.
    func stop() {
        if isOpen { close(fd) }
        isOpen = false
    }

    /// A connected client socket.
    func connectClient() -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        precondition(withAddress(address) { connect(client, $0, $1) } == 0, "connect failed: \(errno)")
        return client
    }
}

/// Epoll instances, each in the next, the last of which no other takes.
func nestedInstances() -> [Int32] {
    var chain = [epoll_create1(0)]
    while true {
        let outer = epoll_create1(0)
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(fd: 0))
        guard epoll_ctl(outer, EPOLL_CTL_ADD, chain.last!, &event) == 0 else {
            close(outer)
            return chain
        }
        chain.append(outer)
    }
}
