import CBlockingShims
import CLinux
import Glibc
import Testing

/// The second names of calls, `__read` and so on: each does what the first one does. Those of poll, of streams and of vfork are tested
/// with the first ones.
@Suite struct AliasTests {
    typealias Transfer = @convention(c) (Int32, UnsafeMutableRawPointer, Int) -> Int
    typealias Send = @convention(c) (Int32, UnsafeMutableRawPointer, Int, Int32) -> Int
    typealias Positioned = @convention(c) (Int32, UnsafeMutableRawPointer, Int, off_t) -> Int
    typealias Connect = @convention(c) (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    typealias Close = @convention(c) (Int32) -> Int32
    typealias Duplicate = @convention(c) (Int32, Int32) -> Int32
    typealias Open = @convention(c) (UnsafePointer<CChar>, Int32, mode_t) -> Int32
    typealias Select =
        @convention(c) (
            Int32, UnsafeMutablePointer<fd_set>?, UnsafeMutablePointer<fd_set>?,
            UnsafeMutablePointer<fd_set>?,
            UnsafeMutablePointer<timeval>?
        ) -> Int32
    typealias Wait = @convention(c) (UnsafeMutablePointer<Int32>) -> pid_t
    typealias WaitForOne = @convention(c) (pid_t, UnsafeMutablePointer<Int32>, Int32) -> pid_t
    typealias PipeOpen = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> CFile?

    @Test func readingAndSelectingParkUntilSomethingIsThere() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = Array(repeating: { _ = write(pair.second, "x", 1) }, count: 2)
            var byte: UInt8 = 0
            #expect(symbol("__read", as: Transfer.self)(pair.first, &byte, 1) == 1)
            var readable = DescriptorSet(pair.first)
            let select = symbol("__select", as: Select.self)
            #expect(readable.withFdSet { select(pair.first + 1, $0, nil, nil, nil) } == 1)
            #expect(
                scheduler.waits == Array(repeating: .init(fd: pair.first, events: POLLIN), count: 2))
        }
    }

    @Test func writingParksWhileThereIsNoRoom() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = Array(repeating: { pair.drain() }, count: 2)
            var byte: UInt8 = 0
            _ = pair.fill()
            #expect(symbol("__write", as: Transfer.self)(pair.second, &byte, 1) == 1)
            _ = pair.fill()
            #expect(symbol("__send", as: Send.self)(pair.second, &byte, 1, 0) == 1)
            #expect(
                scheduler.waits == Array(repeating: .init(fd: pair.second, events: POLLOUT), count: 2))
        }
    }

    @Test func connectingParksUntilThereIsRoom() {
        let (listener, fillers) = fullListener()
        defer { for fd in fillers { close(fd) } }
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            let connect = symbol("__connect", as: Connect.self)
            #expect(withAddress(listener.address) { connect(client, $0, $1) } == -1)
            #expect(errno == ECANCELED)
            #expect(scheduler.waits == [.init(fd: client, events: POLLOUT)])
        }
    }

    @Test func closingTellsTheScheduler() {
        let file = TemporaryFile()
        onFiber { scheduler in
            let (one, other) = (dup(file.fd), dup(file.fd))
            #expect(symbol("__dup2", as: Duplicate.self)(file.fd, one) == one)
            #expect(symbol("__close", as: Close.self)(other) == 0)
            #expect(
                symbol("dup3", as: (@convention(c) (Int32, Int32, Int32) -> Int32).self)(
                    file.fd, one, O_CLOEXEC) == one)
            #expect(fcntl(one, F_GETFD) == FD_CLOEXEC)
            #expect(scheduler.closed == [one, other, one])
            close(one)
        }
    }

    @Test(arguments: ["__open", "__open64"])
    func openingGoesToAWorkerWithAllArguments(name: String) {
        let file = TemporaryFile()
        unlink(file.path)
        let scheduler = onFiber { _ in
            // A variable argument, which travels like a fixed one.
            let fd = symbol(name, as: Open.self)(file.path, O_RDWR | O_CREAT | O_EXCL, 0o640)
            #expect(fd >= 0)
            var status = stat()
            #expect(fstat(fd, &status) == 0 && status.st_mode & 0o777 == 0o640 & ~currentMask())
            close(fd)
        }
        #expect(scheduler.operations == [CBS_FILE_OPEN])
    }

    @Test func filesAreReadAndWrittenAtAPosition() {
        let file = TemporaryFile()
        let scheduler = onFiber { _ in
            var text = Array("hello".utf8)
            #expect(symbol("__pwrite64", as: Positioned.self)(file.fd, &text, 5, 3) == 5)
            #expect(symbol("__pread64", as: Positioned.self)(file.fd, &text, 2, 4) == 2)
            #expect(text.prefix(2).elementsEqual("el".utf8))
        }
        #expect(scheduler.operations.first == CBS_FILE_WRITE)
    }

    @Test func lockIsWaitedFor() {
        let file = TemporaryFile()
        let other = open(file.path, O_RDWR)
        defer { close(other) }
        LockTests.Call.openFile(other)
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [{ LockTests.Call.openFile.unlock(other) }]
            var range = Glibc.flock()
            range.l_type = Int16(F_WRLCK)
            #expect(symbol("__fcntl", as: LockTests.Fcntl.self)(file.fd, 38, &range) == 0)  // F_OFD_SETLKW
        }
        #expect(!scheduler.sleeps.isEmpty)
    }

    @Test func sleepParks() {
        let scheduler = onFiber { _ in
            var time = timespec(tv_sec: 0, tv_nsec: 1_000_000)
            typealias Sleep =
                @convention(c) (UnsafePointer<timespec>, UnsafeMutablePointer<timespec>?) -> Int32
            #expect(symbol("__nanosleep", as: Sleep.self)(&time, nil) == 0)
        }
        #expect(scheduler.sleeps.count == 1)
    }

    @Test func childrenAreWaitedFor() {
        let child = ChildProcess("exit 3")
        onFiber { scheduler in
            scheduler.whenParked = [{ child.release() }]
            var status: Int32 = 0
            #expect(symbol("__waitpid", as: WaitForOne.self)(child.pid, &status, 0) == child.pid)
            #expect(status == 3 << 8 && scheduler.waits.count == 1)
            // A command that the shim has not started would be waited for on a worker.
            let file = symbol("_IO_popen", as: PipeOpen.self)("exit 4", "r")
            #expect(file.map { pclose($0) } == 4 << 8)
            #expect(scheduler.offloads == 0)
        }
    }

    @Test func anyChildIsWaitedFor() async {
        // In a process of its own: there it has no other children.
        await #expect(processExitsWith: .success) {
            let child = ChildProcess("exit 5")
            onFiber { scheduler in
                scheduler.whenParked = [{ child.release() }]
                var status: Int32 = 0
                #expect(symbol("__wait", as: Wait.self)(&status) == child.pid)
                #expect(status == 5 << 8 && !scheduler.waits.isEmpty)
            }
        }
    }

    @Test(arguments: ["fflush", "fflush_unlocked", "_IO_fflush", "_IO_fclose"])
    func flushingParksWhileThereIsNoRoom(name: String) {
        let pipes = Pair.pipes()
        let filled = pipes.fill()
        let stream = Stream(pipes, "w")
        let drain = OutputTests.Drain(stream.pair)
        let file = name == "_IO_fclose" ? stream.release() : stream.file
        onFiber { scheduler in
            fputs("text", file)
            scheduler.whenParked = [{ drain.take() }]
            #expect(symbol(name, as: StreamFunction.Flush.self)(file) == 0)
            #expect(scheduler.waits.count == 1)
        }
        drain.take()
        #expect(drain.text.dropFirst(filled) == "text")
    }

    @Test func offFibersTheyAreLibcs() {
        let pair = Pair.sockets()
        var bytes = Array("hello".utf8)
        // With hooks for the thread, but no fiber that runs.
        let scheduler = onFiber { _ in }
        #expect(symbol("__write", as: Transfer.self)(pair.second, &bytes, 2) == 2)
        #expect(symbol("__send", as: Send.self)(pair.second, &bytes, 3, 0) == 3)
        #expect(symbol("__read", as: Transfer.self)(pair.first, &bytes, 5) == 5)
        #expect(bytes == Array("hehel".utf8))
        let listener = LoopbackListener()
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let connect = symbol("__connect", as: Connect.self)
        #expect(withAddress(listener.address) { connect(client, $0, $1) } == 0)
        #expect(symbol("__close", as: Close.self)(client) == 0)
        let child = ChildProcess("exit 3")
        child.release()
        var status: Int32 = 0
        #expect(symbol("__waitpid", as: WaitForOne.self)(child.pid, &status, 0) == child.pid)
        #expect(status == 3 << 8)
        #expect(symbol("_IO_popen", as: PipeOpen.self)("exit 4", "r").map { pclose($0) } == 4 << 8)
        #expect(scheduler.waits.isEmpty && scheduler.closed.isEmpty && scheduler.offloads == 0)
    }

    /// The bits that open(2) takes from the mode of a new file, without changing them: /proc/self/status has them.
    private func currentMask() -> mode_t {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            if strncmp(line, "Umask:", 6) == 0 { return mode_t(strtoul(Array(line.dropFirst(6)), nil, 8)) }
        }
        return 0
    }
}
