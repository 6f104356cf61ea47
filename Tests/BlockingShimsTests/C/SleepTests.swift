import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct SleepTests {
    enum Call: CaseIterable {
        case sleep, usleep, nanosleep, relative, absolute

        /// Sleeps 0.1 s, `sleep` 1 s, or so many times as long; returns what the function says, as 0 or an error number.
        func run(times: Int = 1) -> Int32 {
            let nanoseconds = 100_000_000 * times
            var time = timespec(
                tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
            switch self {
            case .sleep: return Glibc.sleep(UInt32(times)) == 0 ? 0 : errno
            case .usleep: return Glibc.usleep(UInt32(nanoseconds / 1000)) == 0 ? 0 : errno
            case .nanosleep: return Glibc.nanosleep(&time, nil) == 0 ? 0 : errno
            case .relative: return clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nil)
            case .absolute:
                let end = monotonicNanoseconds() + Int64(nanoseconds)
                var deadline = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
                return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nil)
            }
        }

        var duration: Double { self == .sleep ? 1 : 0.1 }
    }

    @Test(arguments: Call.allCases)
    func parksForItsWholeTimeOnAFiber(call: Call) {
        onFiber { scheduler in
            let run = timed { call.run() }
            #expect(run.result == 0)
            #expect(run.seconds >= call.duration)
            #expect(scheduler.sleeps.count == 1)
        }
    }

    @Test(arguments: Call.allCases)
    func endedFiberGetsECANCELED(call: Call) {
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            #expect(call.run() == ECANCELED)
            // Half a minute, if it slept for its whole time.
            let again = timed { call.run(times: 300) }
            #expect(again.result == ECANCELED && again.seconds < 20)
        }
    }

    @Test func endedSleepReportsWhatIsLeft() {
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            var asked = timespec(tv_sec: 100, tv_nsec: 0)
            var left = timespec()
            #expect(nanosleep(&asked, &left) == -1)
            #expect((50..<100).contains(left.tv_sec))
            #expect((50...100).contains(sleep(100)))
        }
    }

    @Test func invalidTimesAreLibcsErrors() {
        let scheduler = onFiber { _ in
            var bad = timespec(tv_sec: 0, tv_nsec: 1_000_000_000)
            #expect(nanosleep(&bad, nil) == -1)
            #expect(errno == EINVAL)
            #expect(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, nil) == EINVAL)
            var good = timespec(tv_sec: 0, tv_nsec: 1)
            #expect(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &good, nil) == EINVAL)
        }
        #expect(scheduler.sleeps.isEmpty)
    }

    @Test(arguments: Call.allCases)
    func outsideAFiberTheThreadSleepsForTheWholeTime(call: Call) {
        let run = timed { call.run() }
        #expect(run.result == 0 && run.seconds >= call.duration)
    }

    @Test func sleepOfC11ParksAndSaysThatItWasInterrupted() {
        typealias Function =
            @convention(c) (UnsafePointer<timespec>, UnsafeMutablePointer<timespec>?) -> Int32
        let sleep = symbol("thrd_sleep", as: Function.self)
        var (short, long, left) = (timespec(tv_sec: 0, tv_nsec: 20_000_000), timespec(), timespec())
        long.tv_sec = 100
        onFiber { scheduler in
            errno = ENOENT
            let run = timed { sleep(&short, nil) }
            #expect(run.result == 0 && run.seconds >= 0.02)
            #expect(scheduler.sleeps.count == 1)
            scheduler.failure = ECANCELED
            #expect(sleep(&long, &left) == -1)
            #expect((50..<100).contains(left.tv_sec))
            #expect(errno == ENOENT, "C11's functions have no errno")
        }
        let run = timed { sleep(&short, nil) }
        #expect(run.result == 0 && run.seconds >= 0.02)
    }

    @Test func zeroYields() {
        let scheduler = onFiber { _ in #expect(usleep(0) == 0) }
        #expect(scheduler.sleeps.count == 1)
    }

    @Test func errnoSurvivesSuccess() {
        onFiber { scheduler in
            scheduler.whenParked = [{ errno = EIO }]
            errno = ENOENT
            #expect(usleep(1) == 0)
            #expect(errno == ENOENT)
        }
    }
}
