import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct EpollTests {
    private func instance(watching fd: Int32) -> Int32 {
        let epoll = epoll_create1(0)
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(fd: fd))
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)
        return epoll
    }

    @Test func parksOnTheInstanceItself() {
        let pair = Pair.sockets()
        let epoll = instance(watching: pair.first)
        defer { close(epoll) }
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pair.second, "x", 1) }]
            var event = epoll_event()
            #expect(epoll_wait(epoll, &event, 1, -1) == 1)
            #expect(event.data.fd == pair.first)
            #expect(scheduler.waits == [.init(fd: epoll, events: POLLIN)])
        }
    }

    @Test func timesOutAndYieldsAtZero() {
        let pair = Pair.sockets()
        let epoll = instance(watching: pair.first)
        defer { close(epoll) }
        onFiber { scheduler in
            var event = epoll_event()
            let run = timed { epoll_wait(epoll, &event, 1, 50) }
            #expect(run.result == 0 && run.seconds >= 0.05)
            #expect(epoll_pwait(epoll, &event, 1, 0, nil) == 0)
            #expect(scheduler.sleeps == [0])
            var limit = timespec(tv_sec: 0, tv_nsec: 1_000_000)
            #expect(epoll_pwait2(epoll, &event, 1, &limit, nil) == 0)
        }
    }

    @Test func errorsAreLibcs() {
        onFiber { _ in
            var event = epoll_event()
            #expect(epoll_wait(-1, &event, 1, -1) == -1)
            #expect(errno == EBADF)
        }
    }

    @Test func endedFiberGetsECANCELED() {
        let pair = Pair.sockets()
        let epoll = instance(watching: pair.first)
        defer { close(epoll) }
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            var event = epoll_event()
            #expect(epoll_wait(epoll, &event, 1, -1) == -1)
            #expect(errno == ECANCELED)
        }
    }
}
