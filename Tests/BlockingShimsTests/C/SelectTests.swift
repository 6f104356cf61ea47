import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct SelectTests {
    private func set(_ fds: Int32...) -> fd_set {
        var set = fd_set()
        withUnsafeMutableBytes(of: &set) { bytes in
            for fd in fds { bytes[Int(fd) / 8] |= 1 << UInt8(fd % 8) }
        }
        return set
    }

    private func contains(_ set: fd_set, _ fd: Int32) -> Bool {
        withUnsafeBytes(of: set) { $0[Int(fd) / 8] & 1 << UInt8(fd % 8) != 0 }
    }

    @Test func parksUntilOneOfManyIsReady() {
        let pairs = (0..<3).map { _ in Pair.sockets() }
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pairs[1].second, "x", 1) }]
            var readable = set(pairs[0].first, pairs[1].first, pairs[2].first)
            var limit = timeval(tv_sec: 5, tv_usec: 0)
            #expect(select(1024, &readable, nil, nil, &limit) == 1)
            #expect(contains(readable, pairs[1].first))
            #expect(!contains(readable, pairs[0].first) && !contains(readable, pairs[2].first))
            #expect(limit.tv_sec == 4, "the time left is written back")
            #expect(scheduler.waits.count == 1)
        }
    }

    @Test func pselectParksToo() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pair.second, "x", 1) }]
            var readable = set(pair.first)
            var mask = sigset_t()
            sigemptyset(&mask)
            #expect(pselect(pair.first + 1, &readable, nil, nil, nil, &mask) == 1)
            #expect(scheduler.waits == [.init(fd: pair.first, events: POLLIN)])
        }
    }

    @Test func timesOutWithEmptySets() {
        let pair = Pair.sockets()
        onFiber { _ in
            var readable = set(pair.first)
            var limit = timeval(tv_sec: 0, tv_usec: 100_000)
            let run = timed { select(pair.first + 1, &readable, nil, nil, &limit) }
            #expect(run.result == 0 && run.seconds >= 0.1 && run.seconds < 1)
            #expect(!contains(readable, pair.first))
            #expect(limit.tv_sec == 0 && limit.tv_usec == 0)
        }
    }

    @Test func withoutSetsItSleeps() {
        onFiber { scheduler in
            var limit = timeval(tv_sec: 0, tv_usec: 50_000)
            let run = timed { select(0, nil, nil, nil, &limit) }
            #expect(run.result == 0 && run.seconds >= 0.05)
            #expect(scheduler.sleeps.count == 1)
        }
    }

    @Test func zeroTimeoutYields() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            var readable = set(pair.first)
            var limit = timeval()
            #expect(select(pair.first + 1, &readable, nil, nil, &limit) == 0)
            #expect(scheduler.sleeps.count == 1 && scheduler.waits.isEmpty)
        }
    }

    @Test func writableAndExceptionalAreHonoured() {
        let pair = Pair.sockets()
        let scheduler = onFiber { _ in
            var writable = set(pair.first)
            var exceptional = set(pair.first)
            #expect(select(pair.first + 1, nil, &writable, &exceptional, nil) == 1)
            #expect(contains(writable, pair.first) && !contains(exceptional, pair.first))
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test func closedDescriptorIsEBADF() {
        let fd = closedDescriptor(from: 950)
        onFiber { _ in
            for microseconds in [0, 100_000] {
                var readable = set(fd)
                var limit = timeval(tv_sec: 0, tv_usec: microseconds)
                #expect(select(fd + 1, &readable, nil, nil, &limit) == -1)
                #expect(errno == EBADF)
            }
        }
    }

    @Test func hangUpThatSelectDoesNotReportIsNoBusyLoop() {
        let pair = Pair.sockets()
        pair.closeSecond()
        onFiber { scheduler in
            var exceptional = set(pair.first)
            var limit = timeval(tv_sec: 0, tv_usec: 60_000)
            #expect(select(pair.first + 1, nil, nil, &exceptional, &limit) == 0)
            #expect(scheduler.sleeps.count < 20)
        }
    }

    @Test func endedFiberGetsECANCELED() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            var readable = set(pair.first)
            #expect(select(pair.first + 1, &readable, nil, nil, nil) == -1)
            #expect(errno == ECANCELED)
        }
    }
}
