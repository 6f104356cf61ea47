import CBlockingShims
import CFibers
import CLinux
import Glibc
import Testing

@Suite struct PollTests {
    typealias PollChecked = @convention(c) (UnsafeMutablePointer<pollfd>, nfds_t, Int32, Int) -> Int32

    typealias PollPrecise =
        @convention(c) (
            UnsafeMutablePointer<pollfd>, nfds_t, UnsafePointer<timespec>?, UnsafePointer<sigset_t>?
        ) -> Int32

    typealias PollPreciseChecked =
        @convention(c) (
            UnsafeMutablePointer<pollfd>, nfds_t, UnsafePointer<timespec>?, UnsafePointer<sigset_t>?, Int
        ) -> Int32

    /// The spellings, each with a time-out in milliseconds (negative: none).
    enum Spelling: CaseIterable {
        case poll, secondPoll, ppoll, checkedPoll, maskedPpoll, checkedPpoll

        func callAsFunction(_ fds: inout [pollfd], _ timeout: Int32) -> Int32 {
            let count = nfds_t(fds.count)
            let size = fds.count * MemoryLayout<pollfd>.stride
            var limit = timespec(tv_sec: Int(timeout / 1000), tv_nsec: Int(timeout % 1000) * 1_000_000)
            var mask = sigset_t()
            sigemptyset(&mask)
            switch self {
            case .poll: return Glibc.poll(&fds, count, timeout)
            case .secondPoll:
                typealias Function = @convention(c) (UnsafeMutablePointer<pollfd>, nfds_t, Int32) -> Int32
                return symbol("__poll", as: Function.self)(&fds, count, timeout)
            case .ppoll, .maskedPpoll:
                // Declared for _GNU_SOURCE alone, so not in Swift's Glibc; the type is that of <poll.h>.
                let function = unsafeBitCast(dlsym(nil, "ppoll"), to: PollPrecise.self)
                return withUnsafePointer(to: &limit) { limit in
                    withUnsafePointer(to: &mask) { mask in
                        function(&fds, count, timeout < 0 ? nil : limit, self == .maskedPpoll ? mask : nil)
                    }
                }
            case .checkedPoll:
                // What callers compiled with _FORTIFY_SOURCE call; the type is that of <bits/poll2.h>.
                let function = unsafeBitCast(dlsym(nil, "__poll_chk"), to: PollChecked.self)
                return function(&fds, count, timeout, size)
            case .checkedPpoll:
                return withUnsafePointer(to: &limit) { limit in
                    symbol("__ppoll_chk", as: PollPreciseChecked.self)(
                        &fds, count, timeout < 0 ? nil : limit, nil, size)
                }
            }
        }
    }

    private func entry(_ fd: Int32, _ events: Int32) -> pollfd {
        pollfd(fd: fd, events: Int16(events), revents: 0)
    }

    @Test(arguments: Spelling.allCases)
    func parksUntilReadable(poll: Spelling) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pair.second, "x", 1) }]
            var fds = [entry(pair.first, POLLIN)]
            #expect(poll(&fds, -1) == 1)
            #expect(fds[0].revents == Int16(POLLIN))
            #expect(scheduler.waits == [.init(fd: pair.first, events: POLLIN)])
        }
    }

    @Test(arguments: Spelling.allCases)
    func timesOut(poll: Spelling) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            var fds = [entry(pair.first, POLLIN)]
            let run = timed { poll(&fds, 100) }
            #expect(run.result == 0)
            #expect(run.seconds >= 0.1 && scheduler.longestWait <= 200_000_000)
            #expect(!scheduler.waits.isEmpty)
        }
    }

    @Test(arguments: Spelling.allCases)
    func zeroTimeoutYieldsAndReturns(poll: Spelling) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            var fds = [entry(pair.first, POLLIN)]
            #expect(poll(&fds, 0) == 0)
            #expect(scheduler.sleeps == [0])
            #expect(scheduler.waits.isEmpty)
        }
    }

    @Test func readyDescriptorDoesNotPark() {
        let pair = Pair.sockets()
        let scheduler = onFiber { _ in
            var fds = [entry(pair.first, POLLOUT)]
            #expect(poll(&fds, 1, -1) == 1)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test func severalDescriptorsAreWaitedForAtOnce() {
        let pairs = (0..<5).map { _ in Pair.sockets() }
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pairs[3].second, "x", 1) }]
            var fds = pairs.map { entry($0.first, POLLIN) }
            #expect(poll(&fds, 5, 5_000) == 1)
            #expect(fds.map(\.revents) == [0, 0, 0, Int16(POLLIN), 0])
            #expect(scheduler.waits.count == 1)
            #expect(scheduler.closed == [scheduler.waits[0].fd], "the private epoll instance is closed")
        }
    }

    @Test func aDescriptorNamedTwiceIsWaitedForBothWays() {
        let pair = Pair.sockets()
        _ = pair.fill()
        onFiber { scheduler in
            scheduler.whenParked = [{ pair.drain() }]
            var fds = [entry(pair.second, POLLIN), entry(pair.second, POLLOUT)]
            #expect(poll(&fds, 2, 5_000) == 1)
            #expect(fds[1].revents == Int16(POLLOUT))
        }
    }

    @Test func negativeDescriptorsAreIgnored() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pair.second, "x", 1) }]
            var fds = [entry(-1, POLLIN), entry(pair.first, POLLIN)]
            fds[0].revents = 99
            #expect(poll(&fds, 2, 5_000) == 1)
            #expect(fds[0].revents == 0)
            #expect(scheduler.waits == [.init(fd: pair.first, events: POLLIN)], "one descriptor needs no set")
        }
    }

    @Test func noDescriptorIsASleep() {
        onFiber { scheduler in
            let run = timed { poll(nil, 0, 50) }
            #expect(run.result == 0 && run.seconds >= 0.05)
            #expect(scheduler.sleeps.count == 1)
        }
    }

    @Test func closedDescriptorIsPOLLNVAL() {
        onFiber { _ in
            var fds = [entry(CInt.max, POLLIN)]
            #expect(poll(&fds, 1, -1) == 1)
            #expect(fds[0].revents == Int16(POLLNVAL))
        }
    }

    @Test func descriptorClosedWhileWaitedForIsPOLLNVAL() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.refusals[pair.first] = EBADF
            var fds = [entry(pair.first, POLLIN)]
            #expect(poll(&fds, 1, -1) == 1)
            #expect(fds[0].revents == Int16(POLLNVAL))
        }
    }

    @Test func busyDescriptorIsWaitedForInAPrivateSet() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.refusals[pair.first] = EBUSY
            scheduler.whenParked = [{ _ = write(pair.second, "x", 1) }]
            var fds = [entry(pair.first, POLLIN)]
            #expect(poll(&fds, 1, -1) == 1)
            #expect(scheduler.waits.count == 2)
            #expect(scheduler.closed.count == 1)
        }
    }

    @Test func wakesForNothingEndInAnExactWait() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.spuriousWakes = 2
            scheduler.whenParked = [{ _ = write(pair.second, "x", 1) }]
            var fds = [entry(pair.first, POLLIN)]
            #expect(poll(&fds, 1, -1) == 1)
            #expect(scheduler.waits.map { $0.fd == pair.first } == [true, true, false])
        }
    }

    @Test func signalLetThroughByTheMaskIsEINTRAndNoneIsInvented() {
        let pair = Pair.sockets()
        // A real-time signal that nothing else here uses: to change what the process does with one discards those of its
        // number that other threads have blocked.
        let number: Int32 = 40
        var (blocked, before) = (sigset_t(), sigset_t())
        sigemptyset(&blocked)
        sigaddset(&blocked, number)
        signal(number) { _ in }
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        onFiber { scheduler in
            var fds = [entry(pair.first, POLLIN)]
            scheduler.whenParked = [{ pthread_kill(pthread_self(), number) }]
            #expect(Spelling.maskedPpoll(&fds, 5_000) == -1)
            #expect(errno == EINTR)
            scheduler.whenParked = [
                {
                    pthread_kill(pthread_self(), number)
                    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)  // delivered while the fiber is parked
                    _ = write(pair.second, "x", 1)
                }
            ]
            #expect(Spelling.poll(&fds, 5_000) == 1)
        }
    }

    @Test func urgentDataAloneIsWaitedForExactly() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            _ = write(pair.second, "x", 1)  // readable, which was not asked for
            var fds = [entry(pair.first, POLLPRI)]
            #expect(poll(&fds, 1, 50) == 0)
            #expect(scheduler.waits.count == 1, "no spinning")
            #expect(scheduler.waits[0].fd != pair.first)
        }
    }

    @Test func regularFileIsReady() {
        let file = open("/proc/self/exe", O_RDONLY)
        defer { close(file) }
        let pair = Pair.sockets()
        let scheduler = onFiber { _ in
            var fds = [entry(pair.first, POLLIN), entry(file, POLLIN)]
            #expect(poll(&fds, 2, -1) == 1)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: [ECANCELED, ETIMEDOUT])
    func endedFiberGetsItsError(code: Int32) {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.failure = code
            var fds = [entry(pair.first, POLLIN), entry(pair.first, POLLIN)]
            for count in [nfds_t(0), 1, 2] {
                for timeout in [Int32(0), 1000, -1] {
                    #expect(poll(&fds, count, timeout) == -1)
                    #expect(errno == code)
                }
            }
            #expect(fds.allSatisfy { $0.revents == 0 })
        }
    }

    @Test func endedFiberStillSeesWhatIsReady() {
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            var fds = [entry(pair.first, POLLOUT)]
            #expect(poll(&fds, 1, 0) == 1)
            #expect(poll(&fds, 1, -1) == 1)
        }
    }

    @Test func descriptorsThatDoNotNestAreLookedAtFromTimeToTime() {
        let chain = nestedInstances()
        defer { for epoll in chain { close(epoll) } }
        let pair = Pair.sockets()
        onFiber { scheduler in
            scheduler.whenParked = [{}, {}, { _ = write(pair.second, "x", 1) }]
            var fds = [entry(chain.last!, POLLIN), entry(pair.first, POLLIN)]
            #expect(poll(&fds, 2, 5_000) == 1)
            #expect(scheduler.sleeps.count == 3 && scheduler.waits.isEmpty)
        }
    }
}
