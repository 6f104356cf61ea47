import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct SelectTests {
    private func select(
        _ count: Int32, readable: inout DescriptorSet, _ limit: UnsafeMutablePointer<timeval>?
    ) -> Int32 {
        readable.withFdSet { Glibc.select(count, $0, nil, nil, limit) }
    }

    @Test func parksUntilOneOfManyIsReady() {
        let pairs = (0..<3).map { _ in Pair.sockets() }
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pairs[1].second, "x", 1) }]
            var readable = DescriptorSet(pairs[0].first, pairs[1].first, pairs[2].first)
            var limit = timeval(tv_sec: 100, tv_usec: 0)
            #expect(select(DescriptorSet.capacity, readable: &readable, &limit) == 1)
            #expect(readable.contains(pairs[1].first))
            #expect(!readable.contains(pairs[0].first) && !readable.contains(pairs[2].first))
            #expect((50..<100).contains(limit.tv_sec), "the time left is written back")
            #expect(scheduler.waits.count == 1)
        }
    }

    @Test func pselectParksToo() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pair.second, "x", 1) }]
            var readable = DescriptorSet(pair.first)
            var mask = sigset_t()
            sigemptyset(&mask)
            #expect(readable.withFdSet { pselect(pair.first + 1, $0, nil, nil, nil, &mask) } == 1)
            #expect(scheduler.waits == [.init(fd: pair.first, events: POLLIN)])
        }
    }

    @Test func timesOutWithEmptySets() {
        let pair = Pair.sockets()
        onFiber { _ in
            var readable = DescriptorSet(pair.first)
            var limit = timeval(tv_sec: 0, tv_usec: 100_000)
            let run = timed { select(pair.first + 1, readable: &readable, &limit) }
            #expect(run.result == 0 && run.seconds >= 0.1)
            #expect(!readable.contains(pair.first))
            #expect(limit.tv_sec == 0 && limit.tv_usec == 0)
        }
    }

    @Test func withoutSetsItSleeps() {
        onFiber { scheduler in
            var limit = timeval(tv_sec: 0, tv_usec: 50_000)
            let run = timed { Glibc.select(0, nil, nil, nil, &limit) }
            #expect(run.result == 0 && run.seconds >= 0.05)
            #expect(scheduler.sleeps.count == 1)
        }
    }

    @Test func zeroTimeoutYields() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            var readable = DescriptorSet(pair.first)
            var limit = timeval()
            #expect(select(pair.first + 1, readable: &readable, &limit) == 0)
            #expect(scheduler.sleeps.count == 1 && scheduler.waits.isEmpty)
        }
    }

    @Test func writableAndExceptionalAreHonoured() {
        let pair = Pair.sockets()
        let scheduler = onFiber { _ in
            var writable = DescriptorSet(pair.first)
            var exceptional = DescriptorSet(pair.first)
            let count = writable.withFdSet { writable in
                exceptional.withFdSet { Glibc.select(pair.first + 1, nil, writable, $0, nil) }
            }
            #expect(count == 1)
            #expect(writable.contains(pair.first) && !exceptional.contains(pair.first))
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test func closedDescriptorIsEBADF() {
        let fd = closedDescriptor()
        onFiber { _ in
            for microseconds in [0, 100_000] {
                var readable = DescriptorSet(fd)
                var limit = timeval(tv_sec: 0, tv_usec: microseconds)
                #expect(select(fd + 1, readable: &readable, &limit) == -1)
                #expect(errno == EBADF)
            }
        }
    }

    @Test func hangUpThatSelectDoesNotReportIsNoBusyLoop() {
        let pair = Pair.sockets()
        pair.closeSecond()
        onFiber { scheduler in
            var exceptional = DescriptorSet(pair.first)
            var limit = timeval(tv_sec: 0, tv_usec: 60_000)
            let count = exceptional.withFdSet { Glibc.select(pair.first + 1, nil, nil, $0, &limit) }
            #expect(count == 0)
            #expect(scheduler.sleeps.count < 20)
        }
    }

    @Test func endedFiberGetsECANCELED() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            var readable = DescriptorSet(pair.first)
            #expect(select(pair.first + 1, readable: &readable, nil) == -1)
            #expect(errno == ECANCELED)
        }
    }
}
