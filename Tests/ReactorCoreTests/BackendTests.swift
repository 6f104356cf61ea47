import CLinux
import Glibc
import Logging
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

@Suite struct BackendTests {
    @Test(arguments: [Reactor.Backend.epoll, .ioUring])
    func reactorSaysWhatItRunsOn(_ backend: Reactor.Backend) throws {
        guard backend.isAvailable else { return try refused(backend) }
        let reactor = try Reactor(backend: backend)
        #expect(reactor.backend == backend)
        #expect("\(backend)" == (backend == .epoll ? "epoll" : "io_uring"))
        let value = try reactor.run(until: { 7 })
        #expect(value == 7)
    }

    /// What is refused says so when it is asked for by name.
    private func refused(_ backend: Reactor.Backend) throws {
        let error = #expect(throws: ReactorError.self) { _ = try Reactor(backend: backend) }
        #expect(error?.code == .backendUnavailable)
    }

    @Test(arguments: [ENOSYS, EPERM, EOPNOTSUPP, ENOMEM, EMFILE])
    func refusalSaysWhyAndWhatToDo(_ code: Int32) {
        let error = Reactor.Backend.unavailable(code)
        #expect(error.code == .backendUnavailable)
        #expect(error.errno == code)
        #expect(
            error.message.hasPrefix("io_uring cannot be used: ")
                && error.message.hasSuffix("take the backend .epoll"))
    }

    @Test func automaticIsEpollUnlessTheEnvironmentNamesAnother() async {
        await #expect(processExitsWith: .success) {
            unsetenv("REACTOR_BACKEND")
            precondition(Reactor().backend == .epoll)
            let expected: Reactor.Backend = Reactor.Backend.ioUring.isAvailable ? .ioUring : .epoll
            setenv("REACTOR_BACKEND", "io_uring", 1)
            precondition(Reactor().backend == expected)
            let asked = try Reactor(backend: .automatic)
            precondition(asked.backend == expected)
            let named = try Reactor(backend: .epoll)
            precondition(named.backend == .epoll)
            setenv("REACTOR_BACKEND", "epoll", 1)
            precondition(Reactor().backend == .epoll)
            setenv("REACTOR_BACKEND", "kqueue", 1)
            precondition(Reactor().backend == .epoll)
        }
    }

    /// As in a container whose filter knows no io_uring.
    @Test func forbiddenRingIsAnErrorToThoseWhoNameItAndNoneToOthers() async {
        await #expect(processExitsWith: .success) {
            forbidRings()
            precondition(!Reactor.Backend.ioUring.isAvailable && Reactor.Backend.epoll.isAvailable)
            do throws(ReactorError) {
                _ = try Reactor(backend: .ioUring)
                preconditionFailure("it was not refused")
            } catch {
                precondition(error.code == .backendUnavailable && error.errno == EPERM, error.message)
            }
            setenv("REACTOR_BACKEND", "io_uring", 1)
            let reactor = Reactor()
            precondition(reactor.backend == .epoll)
            try reactor.run(until: {
                precondition(reactor.fileEngine == .threads)
                do throws(ReactorError) {
                    try reactor.useFileEngine(.ioUring)
                    preconditionFailure("it was not refused")
                } catch {
                    precondition(error.code == .backendUnavailable, error.message)
                }
                let file = try await reactor.openFile("/proc/self/cmdline")
                let bytes = try await file.read(10)
                precondition(!bytes.isEmpty)
                try await file.close()
            })
        }
    }
}

/// Has the kernel answer EPERM to io_uring_setup in this process from now on: a filter of seccomp(2).
private func forbidRings() {
    /// struct sock_filter.
    struct Instruction {
        let code: UInt16
        let ifTrue: UInt8
        let ifFalse: UInt8
        let operand: UInt32
    }
    /// struct sock_fprog.
    struct Program {
        let count: UInt16
        let instructions: UnsafePointer<Instruction>
    }
    let instructions = [
        // Load the number of the call; is it the one? Fail with EPERM; else allow.
        Instruction(code: 0x20, ifTrue: 0, ifFalse: 0, operand: 0),
        Instruction(code: 0x15, ifTrue: 0, ifFalse: 1, operand: UInt32(SYS_io_uring_setup)),
        Instruction(code: 0x06, ifTrue: 0, ifFalse: 0, operand: 0x0005_0000 | UInt32(EPERM)),
        Instruction(code: 0x06, ifTrue: 0, ifFalse: 0, operand: 0x7fff_0000),
    ]
    // prctl is variadic, which Swift does not call; its arguments are long integers in registers either way.
    let prctl = unsafeBitCast(
        dlsym(nil, "prctl"), to: (@convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32).self)
    let result = instructions.withUnsafeBufferPointer { buffer -> Int32 in
        // There are four of them.
        var program = Program(count: UInt16(buffer.count), instructions: buffer.baseAddress!)
        guard prctl(38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0) == 0 else { return -1 }
        return withUnsafePointer(to: &program) {
            prctl(22 /* PR_SET_SECCOMP */, 2 /* a filter */, UInt(bitPattern: $0), 0, 0)
        }
    }
    precondition(result == 0, "seccomp: \(errnoText(errno))")
}

/// What io_uring would do otherwise than epoll, if the poller let it.
@Suite(.everyBackend) struct BackendContractTests {
    @Test func fileOfAnEndedWaitIsNotKeptOpen() async throws {
        try await withReactor { reactor in
            let (near, far) = try ends()
            await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilReadable(near, timeout: .milliseconds(1))
            }
            close(near)  // unannounced, as a library does
            #expect(isAtEnd(far))
            close(far)
        }
    }

    @Test func fileOfACancelledWaitIsNotKeptOpen() async throws {
        try await withReactor { reactor in
            let (near, far) = try ends()
            let task = reactor.startTask { try? await reactor.waitUntilReadable(near) }
            try await reactor.sleep(for: .milliseconds(1))  // the kernel has heard of it
            task.cancel()
            await task.value
            close(near)
            #expect(isAtEnd(far))
            close(far)
        }
    }

    @Test func announcedCloseClosesAtOnce() async throws {
        try await withReactor { reactor in
            let (near, far) = try ends()
            try reactor.addReader(near) {}
            let writer = try ends()
            let task = reactor.startTask { try? await reactor.waitUntilReadable(writer.near) }
            try await reactor.sleep(for: .milliseconds(1))
            for fd in [near, writer.near] {
                reactor.descriptorWillClose(fd)
                close(fd)
            }
            #expect(isAtEnd(far) && isAtEnd(writer.far))
            await task.value
            for fd in [far, writer.far] { close(fd) }
        }
    }

    /// A listening socket that somebody holds keeps its address.
    @Test func addressOfAClosedListenerIsFreeAtOnce() async throws {
        try await withReactor { reactor in
            for _ in 0..<5 {
                let fd = try listen(on: "green-reactor-test-\(getpid())-\(reactor.backend)")
                try reactor.addReader(fd) {}
                try await reactor.sleep(for: .milliseconds(1))
                reactor.descriptorWillClose(fd)
                close(fd)
            }
        }
    }

    @Test func droppedReactorHoldsNoFile() throws {
        let (near, far) = try ends()
        do {
            let reactor = Reactor()
            reactor.callFromThread { try reactor.addReader(near) {} }
            for _ in 0..<3 { try reactor.iterate() }
        }
        close(near)
        #expect(isAtEnd(far))
        close(far)
    }

    @Test func callbackOfARegularFileIsAnError() async throws {
        try await withReactor { reactor in
            let file = open("/proc/self/exe", O_RDONLY)
            defer { close(file) }
            let error = #expect(throws: ReactorError.self) { try reactor.addReader(file) {} }
            #expect(error?.code == .systemCall && error?.errno == EPERM)
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test func numberClosedSinceIsNotOpen() async throws {
        try await withReactor { reactor in
            let (near, far) = try ends()
            try await reactor.waitUntilWritable(near)  // the table knows the number
            // A number that nobody else in this process is given meanwhile: near the most it may have, and not the one that
            // tests of other targets take.
            let most = min(sysconf(Int32(_SC_OPEN_MAX)), 65_536)
            let high = fcntl(near, F_DUPFD_CLOEXEC, Int32(most) - 64)
            try await reactor.waitUntilWritable(high)
            close(high)
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilWritable(high, timeout: .seconds(5))
            }
            #expect(error?.code == .descriptorClosed)
            for fd in [near, far] { close(fd) }
        }
    }

    /// Watchers stay when the loop goes on on another thread, and after the first thread has ended.
    @Test func watchersFollowTheLoopToAnotherThread() async throws {
        let reactor = Reactor()
        let (near, far) = try ends()
        let log = Log()
        try await onThread {
            try reactor.run(until: {
                try reactor.addReader(near) { log.add(drain(near)) }
                write(far, "ab", 2)
                while log.bytes < 2 { try await reactor.sleep(for: .microseconds(100)) }
            })
        }
        for round in 1...3 {
            try await onThread {
                try reactor.run(until: {
                    write(far, "c", 1)
                    while log.bytes < 2 + round { try await reactor.sleep(for: .microseconds(100)) }
                })
            }
        }
        // Woken from yet another thread while it sleeps.
        try await onThread {
            try reactor.run(until: {
                let pool = ThreadPool(limit: 1)
                for _ in 0..<50 { _ = try await pool.run { 1 } }
                reactor.removeReader(near)
                let left = reactor.watchedDescriptors
                #expect(left.isEmpty)
            })
        }
        for fd in [near, far] { close(fd) }
    }

    /// More at once than either queue of io_uring holds.
    @Test func fiveThousandRegistrationsInOneTurn() async throws {
        try await withReactor { reactor in
            let (near, far) = try ends()
            var copies: [Int32] = []
            for _ in 0..<400 {
                let copy = dup(near)
                if copy >= 0 { copies.append(copy) }
            }
            var calls = 0
            for _ in 0..<12 {
                for fd in copies { try reactor.addReader(fd) { calls += 1 } }
                for fd in copies { reactor.removeReader(fd) }
            }
            let tasks = copies.map { fd in reactor.startTask { try? await reactor.waitUntilReadable(fd) } }
            await reactor.yield()
            write(far, "x", 1)
            for task in tasks { await task.value }
            #expect(calls == 0)
            #expect(reactor.watchedDescriptors.isEmpty)
            for fd in copies + [near, far] { close(fd) }
        }
    }

    @Test func descriptorIsReadableBeforeTheFirstTurn() throws {
        let reactor = Reactor()
        reactor.callFromThread {}
        var entry = pollfd(fd: reactor.pollDescriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 60_000) == 1)
        try reactor.iterate()
    }
}

private final class Log: Sendable {
    private let count = Atomic<Int>(0)
    var bytes: Int { count.load(ordering: .acquiring) }
    func add(_ bytes: Int) { count.add(bytes, ordering: .acquiringAndReleasing) }
}

private func drain(_ fd: Int32) -> Int {
    var bytes = [UInt8](repeating: 0, count: 64)
    return max(0, read(fd, &bytes, bytes.count))
}

/// Two connected sockets.
private func ends() throws -> (near: Int32, far: Int32) {
    var fds: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    try #require(socketpair(AF_UNIX, kind, 0, &fds) == 0)
    return (fds[0], fds[1])
}

/// Whether the other end is closed, but for a child that another test is just starting: that has every descriptor, until it
/// runs its program. One that the backend holds stays open for longer than this waits.
private func isAtEnd(_ fd: Int32) -> Bool {
    var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
    _ = poll(&entry, 1, 20_000)
    var byte: UInt8 = 0
    return recv(fd, &byte, 1, Int32(MSG_DONTWAIT)) == 0
}

/// Listens on an abstract address, which is free again when nobody holds the socket.
private func listen(on name: String) throws -> Int32 {
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.dropFirst().copyBytes(from: name.utf8) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
    let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
            // A child that another test is just starting has every descriptor, until it runs its program.
            var tries = 0
            while bind(fd, address, length) != 0 {
                guard errno == EADDRINUSE, tries < 1000 else { return errno }
                tries += 1
                usleep(5_000)
            }
            return Glibc.listen(fd, 1) == 0 ? 0 : errno
        }
    }
    try #require(result == 0, "bind: \(errnoText(result))")
    return fd
}

/// Runs `body` on a thread of its own, which has ended when this returns.
private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    let pool = ThreadPool(limit: 1)
    try await withCheckedThrowingContinuation { continuation in
        do { try pool.submit { continuation.resume(with: Result { try body() }) } } catch {
            continuation.resume(throwing: error)
        }
    }
    pool.stop()
    while pool.threadCount > 0 { await Task.yield() }
}
