import CLinux
import Glibc
import ReactorCore

/// Blocking calls as C code makes them, each with what it needs to block and a way to let it through.
///
/// Not Sendable: made and used on one reactor.
final class BlockingCall {
    enum Kind: CaseIterable {
        case usleep, nanosleep, clockNanosleep, pollTimeout, selectTimeout
        case poll, pollMany, select, epollWait, recv, recvmsg, readSocket, readPipe, readvPipe
        case send, writeSocket, writePipe, accept, connectUnix, connectTCP, getaddrinfo
        case waitpid, waitid, waitGroup, system, pclose, openReader, openWriter
        case flock, openFileLock, fgets, fread, fflush

        /// Those that end by themselves after their time; the others wait for `release()`.
        static let timers: [Kind] = [.usleep, .nanosleep, .clockNanosleep, .pollTimeout, .selectTimeout]
        var isTimer: Bool { Self.timers.contains(self) }
        /// Those that wait for `release()` on plain threads, too: it is the workers' look-up of a name that is held back here.
        static let ofThreads: [Kind] = allCases.filter { !$0.isTimer && $0 != .getaddrinfo }
    }

    private let kind: Kind
    private let milliseconds: Int
    private let sockets = Pair.sockets()
    private let others = (0..<3).map { _ in Pair.sockets() }
    private let pipes: Pair
    private let listener = LoopbackListener()
    private var opened: [Int32] = []
    private let epoll = epoll_create1(0)
    private var child: ChildProcess?
    private let file = TemporaryFile()
    private var lockFile: Int32 = -1
    private var stream: CFile?  // made in init for the kinds that use it
    private var unixName = sockaddr_un()
    private var unixNameLength = socklen_t(0)
    private var unixListener: Int32 = -1
    private var unixClient: Int32 = -1
    private let fullListener: LoopbackListener?
    private var tcpClient: Int32 = -1
    private var workers: HeldWorkers?

    /// - Parameter milliseconds: how long one of the timers takes.
    init(_ kind: Kind, milliseconds: Int = 200) {
        self.kind = kind
        self.milliseconds = milliseconds
        // A command has the end that it reads from alone, or it would not come to its end.
        pipes = .pipes(isInherited: kind == .system || kind == .pclose)
        _ = fcntl(pipes.second, F_SETFD, FD_CLOEXEC)
        fullListener = kind == .connectTCP ? LoopbackListener(backlog: 0) : nil
        switch kind {
        case .send, .writeSocket: _ = sockets.fill()
        case .writePipe: _ = pipes.fill()
        case .epollWait:
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(fd: 0))
            epoll_ctl(epoll, EPOLL_CTL_ADD, sockets.first, &event)
        case .connectUnix: fillUnixBacklog()
        case .connectTCP:
            opened.append(fullListener!.connectClient())  // made just above; now its queue is full
            tcpClient = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            opened.append(tcpClient)
        case .getaddrinfo: workers = HeldWorkers()
        case .fgets: stream = fdopen(dup(pipes.first), "r")
        case .fread: stream = fdopen(dup(sockets.first), "r")
        case .fflush:
            _ = pipes.fill()
            stream = fdopen(dup(pipes.second), "w")
        case .waitpid, .waitid, .waitGroup: child = ChildProcess("exit 0", group: 0)
        case .openReader, .openWriter: file.makeFIFO()
        case .flock, .openFileLock:
            let holder = LockTests.Call.of(kind)
            _ = holder(file.fd)
            lockFile = Glibc.open(file.path, O_RDWR)
            opened.append(lockFile)
        default: break
        }
    }

    deinit {
        close(epoll)
        workers?.release()
        if kind == .fflush { pipes.drain() }
        if let stream { fclose(stream) }
        for fd in opened { close(fd) }
    }

    /// The descriptor it waits for, where there is one.
    var descriptor: Int32? {
        switch kind {
        case .poll, .recv, .recvmsg, .readSocket: sockets.first
        case .send, .writeSocket: sockets.second
        case .readPipe, .readvPipe: pipes.first
        case .writePipe: pipes.second
        case .accept: listener.fd
        default: nil
        }
    }

    /// Closes `descriptor`.
    func closeDescriptor() {
        switch kind {
        case .send, .writeSocket: sockets.closeSecond()
        case .readPipe, .readvPipe: pipes.closeFirst()
        case .writePipe: pipes.closeSecond()
        case .accept: listener.stop()
        default: sockets.closeFirst()
        }
    }

    /// Makes the call. Returns 0, or the error number.
    func run() -> Int32 {
        var byte = [UInt8](repeating: 1, count: 8192)
        var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        let result: Int
        switch kind {
        case .usleep: result = Int(Glibc.usleep(UInt32(milliseconds * 1000)))
        case .nanosleep: result = Int(Glibc.nanosleep(&time, nil))
        case .clockNanosleep: return clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nil)
        case .pollTimeout: result = Int(Glibc.poll(nil, 0, Int32(milliseconds)))
        case .selectTimeout: result = Int(Glibc.select(0, nil, nil, nil, &limit))
        case .poll: result = poll([sockets.first])
        case .pollMany: result = poll(others.map(\.first) + [sockets.first])
        case .select:
            let fd = sockets.first
            var readable = DescriptorSet(fd)
            result = readable.withFdSet { Int(Glibc.select(fd + 1, $0, nil, nil, nil)) }
        case .epollWait:
            var event = epoll_event()
            result = Int(epoll_wait(epoll, &event, 1, -1))
        case .recv: result = Glibc.recv(sockets.first, &byte, 1, 0)
        case .recvmsg: result = ReceiveTests.Call.recvmsg(sockets.first, 3).count
        case .readSocket: result = read(sockets.first, &byte, 1)
        case .readPipe: result = read(pipes.first, &byte, 1)
        case .readvPipe: result = ReceiveTests.Call.readv(pipes.first, 3).count
        case .send: result = Glibc.send(sockets.second, &byte, byte.count, 0)
        case .writeSocket: result = write(sockets.second, &byte, byte.count)
        case .writePipe: result = write(pipes.second, &byte, byte.count)
        case .accept:
            let fd = Glibc.accept(listener.fd, nil, nil)
            if fd >= 0 { close(fd) }  // `opened` belongs to release(), perhaps on another thread
            result = Int(fd)
        case .connectUnix:
            let (client, length) = (unixClient, unixNameLength)
            result = Int(withAddress(unixName) { address, _ in connect(client, address, length) })
        case .connectTCP:
            let client = tcpClient
            result = Int(withAddress(fullListener!.address) { connect(client, $0, $1) })  // made in init
        case .getaddrinfo:
            var list: UnsafeMutablePointer<addrinfo>?
            result = Glibc.getaddrinfo("localhost", nil, nil, &list) == 0 ? 0 : -1
            if let list { freeaddrinfo(list) }
        case .waitpid: result = Int(Glibc.waitpid(child!.pid, nil, 0))  // made in init, for these three
        case .waitGroup: result = Int(Glibc.waitpid(-child!.pid, nil, 0))
        case .waitid:
            var info = siginfo_t()
            result = Int(Glibc.waitid(P_PID, id_t(child!.pid), &info, WEXITED))
        case .openReader, .openWriter:
            let fd = Glibc.open(file.fifo, kind == .openReader ? O_RDONLY : O_WRONLY)
            if fd >= 0 { close(fd) }
            result = Int(fd)
        case .flock, .openFileLock: result = Int(LockTests.Call.of(kind)(lockFile))
        case .fgets: result = StreamFunction.read("fgets", 100, stream!) == nil ? -1 : 0
        case .fread: result = Glibc.fread(&byte, 1, 5, stream!) == 5 ? 0 : -1
        case .fflush:
            fputs("x", stream!)
            result = Int(Glibc.fflush(stream))
        // It ends with a line of the pipe, and at the pipe's end.
        case .system: result = Int(Glibc.system("read line </dev/fd/\(pipes.first)"))
        case .pclose: result = Int(Glibc.pclose(popen("read line </dev/fd/\(pipes.first)", "r")))
        }
        return result >= 0 ? 0 : errno
    }

    /// Makes what the call waits for happen.
    func release() {
        switch kind {
        case .poll, .pollMany, .select, .epollWait, .recv, .recvmsg, .readSocket:
            _ = write(sockets.second, "x", 1)
        case .readPipe, .readvPipe: _ = write(pipes.second, "x", 1)
        case .system, .pclose: _ = write(pipes.second, "\n", 1)
        case .send, .writeSocket: sockets.drain()
        case .writePipe: pipes.drain()
        case .accept: opened.append(listener.connectClient())
        case .connectUnix: opened.append(Glibc.accept(unixListener, nil, nil))
        // The kernel asks again one, three, seven seconds after it was turned away first.
        case .connectTCP: opened.append(Glibc.accept(fullListener!.fd, nil, nil))  // made in init
        case .getaddrinfo: workers?.release()
        case .waitpid, .waitid, .waitGroup: child?.release()
        case .flock, .openFileLock: LockTests.Call.of(kind).unlock(file.fd)
        case .fgets: _ = write(pipes.second, "line\n", 5)
        case .fread: _ = write(sockets.second, "block", 5)
        case .fflush: pipes.drain()
        case .openReader, .openWriter: opened.append(Glibc.open(file.fifo, O_RDWR | O_NONBLOCK))
        default: break
        }
    }

    private func poll(_ fds: [Int32]) -> Int {
        var entries = fds.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        return Int(Glibc.poll(&entries, nfds_t(entries.count), -1))
    }

    private func fillUnixBacklog() {
        unixListener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        opened.append(unixListener)
        unixName.sun_family = sa_family_t(AF_UNIX)
        let listener = unixListener
        // No name at all: the kernel chooses an abstract one.
        _ = withAddress(unixName) { address, _ in bind(listener, address, 2) }
        listen(listener, 0)
        unixNameLength = socklen_t(MemoryLayout<sockaddr_un>.size)
        withUnsafeMutableBytes(of: &unixName) { bytes in
            _ = getsockname(
                listener, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &unixNameLength)
        }
        while true {
            unixClient = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            opened.append(unixClient)
            setNonblocking(unixClient, true)
            let (client, length) = (unixClient, unixNameLength)
            if withAddress(unixName, { address, _ in connect(client, address, length) }) != 0 { break }
        }
        setNonblocking(unixClient, false)
    }
}

/// All threads of the reactor's pool at work, until they are let go.
private final class HeldWorkers {
    private let count: Int
    private let go = Semaphore()

    init() {
        let count = ReactorActor.assumeIsolated { [go] in
            let pool = Reactor.current.threadPool
            for _ in 0..<pool.limit {
                // The reactor runs: its pool takes work, and has threads or can make them.
                try! pool.submit { _ = go.wait() }
            }
            return pool.limit
        }
        self.count = count
    }

    func release() { for _ in 0..<count { go.post() } }
}
