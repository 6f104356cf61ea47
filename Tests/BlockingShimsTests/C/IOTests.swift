import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct IOTests {
    @Test(arguments: [ReceiveTests.Call.read, .readv, .checkedRead])
    func readOfAPipeParks(call: ReceiveTests.Call) {
        let pipes = Pair.pipes()
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pipes.second, "hello", 5) }]
            errno = ENOENT
            #expect(call(pipes.first, 100).bytes == Array("hello".utf8))
            #expect(errno == ENOENT)
            #expect(scheduler.waits == [.init(fd: pipes.first, events: POLLIN)])
            pipes.closeSecond()
            #expect(call(pipes.first, 100).count == 0)
        }
    }

    @Test(arguments: [ReceiveTests.Call.read, .readv, .checkedRead])
    func nonblockingPipeKeepsEAGAIN(call: ReceiveTests.Call) {
        let pipes = Pair.pipes()
        setNonblocking(pipes.first, true)
        let scheduler = onFiber { _ in
            #expect(call(pipes.first, 100).count == -1)
            #expect(errno == EAGAIN)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: [SendTests.Call.write, .writev])
    func writeToAPipeIsWhole(call: SendTests.Call) {
        let pipes = Pair.pipes()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ $0 >> 7) }
        var received: [UInt8] = []
        func take() {
            var chunk = [UInt8](repeating: 0, count: 65536)
            setNonblocking(pipes.first, true)
            while true {
                let count = read(pipes.first, &chunk, chunk.count)
                guard count > 0 else { return }
                received += chunk.prefix(count)
            }
        }
        onFiber { scheduler in
            scheduler.whenParked = Array(repeating: { take() }, count: 1000)
            #expect(call(pipes.second, bytes) == bytes.count)
            #expect(scheduler.waits.count > 1)
        }
        take()
        #expect(received == bytes)
    }

    @Test(arguments: [SendTests.Call.write, .writev])
    func endedFiberGetsTheCountSoFarThenECANCELED(call: SendTests.Call) {
        let pipes = Pair.pipes()
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            let bytes = [UInt8](repeating: 1, count: 300_000)
            let count = call(pipes.second, bytes)
            #expect(count > 0 && count < bytes.count)
            #expect(call(pipes.second, bytes) == -1)
            #expect(errno == ECANCELED)
        }
    }

    @Test func eventfdParks() {
        let fd = eventfd(0, 0)
        defer { close(fd) }
        onFiber { scheduler in
            var value: UInt64 = 5
            scheduler.whenParked = [{ _ = write(fd, &value, 8) }]
            var received: UInt64 = 0
            #expect(read(fd, &received, 8) == 8)
            #expect(received == 5)
            #expect(scheduler.waits.count == 1)
        }
    }

    @Test func terminalParksOnBothSides() {
        let control = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        defer { close(control) }
        var number: Int32 = 0
        #expect(ioctl(control, 0x4004_5431, &number) == 0, "TIOCSPTLCK")
        #expect(ioctl(control, 0x8004_5430, &number) == 0, "TIOCGPTN")
        let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        defer { close(terminal) }
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(control, "line\n", 5) }]
            #expect(ReceiveTests.Call.read(terminal, 100).bytes == Array("line\n".utf8))
            #expect(scheduler.waits == [.init(fd: terminal, events: POLLIN)])

            var drained = 0
            scheduler.whenParked = Array(
                repeating: {
                    // Until it stays empty: what is behind the terminal's buffer follows a moment later.
                    var chunk = [UInt8](repeating: 0, count: 4096)
                    var entry = pollfd(fd: control, events: Int16(POLLIN), revents: 0)
                    while poll(&entry, 1, 10) > 0 { drained += read(control, &chunk, chunk.count) }
                }, count: 1000)
            #expect(SendTests.Call.write(terminal, [UInt8](repeating: 65, count: 100_000)) == 100_000)
            #expect(drained > 0)
        }
    }

    @Test func errorsAreLibcs() {
        onFiber { _ in
            #expect(ReceiveTests.Call.read(-1, 10).count == -1)
            #expect(errno == EBADF)
            #expect(SendTests.Call.writev(-1, [1]) == -1)
            #expect(errno == EBADF)
            let directory = open("/", O_RDONLY)
            #expect(ReceiveTests.Call.read(directory, 10).count == -1)
            #expect(errno == EISDIR)
            close(directory)
            #expect(readv(0, nil, -1) == -1)
            #expect(errno == EINVAL)
        }
    }

    @Test func emptyReadsAndWritesReturnAtOnce() {
        let pair = Pair.sockets()
        let scheduler = onFiber { _ in
            #expect(read(pair.first, nil, 0) == 0)
            #expect(write(pair.first, "", 0) == 0)
            #expect(readv(pair.first, nil, 0) == 0)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test func closeTellsTheScheduler() {
        let pair = Pair.sockets()
        let scheduler = onFiber { _ in pair.closeFirst() }
        #expect(scheduler.closed == [pair.first])
        let other = onFiber { _ in #expect(close(-1) == -1 && errno == EBADF) }
        #expect(other.closed.isEmpty)
    }

    @Test func dup2TellsTheSchedulerOfTheFileItCloses() {
        let pair = Pair.sockets()
        let other = Pair.sockets()
        let scheduler = onFiber { _ in
            #expect(dup2(-1, pair.first) == -1)
            #expect(dup2(pair.first, pair.first) == pair.first)
            #expect(dup2(other.first, pair.first) == pair.first)
        }
        #expect(scheduler.closed == [pair.first])
    }

    @Test func rangesTellTheSchedulerOfWhatTheyClose() {
        let range = symbol("close_range", as: (@convention(c) (UInt32, UInt32, Int32) -> Int32).self)
        let nobodys = UInt32(Int32.max) - 10
        let scheduler = onFiber { _ in
            #expect(range(5, 4, 0) == -1 && errno == EINVAL)
            #expect(range(nobodys, nobodys + 1, 4 /* CLOSE_RANGE_CLOEXEC */) == 0)
            #expect(range(nobodys, .max, 0) == 0)
            symbol("closefrom", as: (@convention(c) (Int32) -> Void).self)(Int32.max - 5)
        }
        let last = Int32.max
        #expect(scheduler.closedRanges == [(last - 10)...last, (last - 5)...last])
    }

    @Test func reopenedStreamTellsTheSchedulerAndWritesWhatItHolds() {
        let pipes = Pair.pipes()
        let stream = fdopen(dup(pipes.second), "w")!
        let scheduler = onFiber { _ in
            fputs("held", stream)
            let fd = fileno(stream)
            let reopened = freopen("/dev/null", "w", stream)
            #expect(reopened.map { fileno($0) } == fd)
        }
        #expect(scheduler.closed == [fileno(stream)])
        #expect(ReceiveTests.Call.read(pipes.first, 100).bytes == Array("held".utf8))
        fclose(stream)
    }

    @Test func forkedFiberHasNoSchedulerSoItsCallsBlock() async {
        // In a process of its own: the child has all descriptors, and keeps open what other tests close.
        await #expect(processExitsWith: .success) {
            let pipes = Pair.pipes()
            onFiber { scheduler in
                let child = fork()
                if child == 0 {
                    var byte: UInt8 = 0
                    usleep(1000)
                    _ = read(pipes.first, &byte, 1)  // served by the parent, below
                    _exit(scheduler.sleeps.isEmpty && scheduler.waits.isEmpty ? 0 : 1)
                }
                usleep(20_000)
                #expect(write(pipes.second, "x", 1) == 1)
                #expect(scheduler.sleeps.count == 1)
                var status: Int32 = -1
                waitpid(child, &status, 0)
                #expect(status == 0)
            }
        }
    }
}
