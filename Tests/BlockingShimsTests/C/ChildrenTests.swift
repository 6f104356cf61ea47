import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct ChildrenTests {
    /// The waits for one child, named by its number.
    enum Call: CaseIterable {
        case waitpid, wait4, waitid, descriptor

        /// Returns the exit status, or −errno.
        func callAsFunction(_ pid: pid_t) -> Int32 {
            var status: Int32 = 0
            var usage = rusage()
            var info = siginfo_t()
            switch self {
            case .waitpid: return Glibc.waitpid(pid, &status, 0) == pid ? status >> 8 : -errno
            case .wait4: return Glibc.wait4(pid, &status, 0, &usage) == pid ? status >> 8 : -errno
            case .waitid:
                return Glibc.waitid(P_PID, id_t(pid), &info, WEXITED) == 0
                    ? info._sifields._sigchld.si_status : -errno
            case .descriptor:
                let fd = pidfd_open(pid)
                guard fd >= 0 else { return -ECHILD }  // fetched: the number means nobody
                defer { close(fd) }
                return Glibc.waitid(P_PIDFD, id_t(fd), &info, WEXITED) == 0
                    ? info._sifields._sigchld.si_status : -errno
            }
        }
    }

    @Test(arguments: Call.allCases)
    func runningChildParks(call: Call) {
        let child = ChildProcess("exit 7")
        onFiber { scheduler in
            scheduler.whenParked = [child.release]
            errno = ENOENT
            #expect(call(child.pid) == 7)
            #expect(errno == ENOENT)
            #expect(scheduler.waits.count == 1 && scheduler.sleeps.isEmpty && scheduler.offloads == 0)
            #expect(call(child.pid) == -ECHILD)
        }
    }

    @Test(arguments: Call.allCases)
    func endedChildDoesNot(call: Call) {
        let child = ChildProcess("exit 3")
        child.release()
        var info = siginfo_t()
        #expect(waitid(P_PID, id_t(child.pid), &info, WEXITED | WNOWAIT) == 0)
        let scheduler = onFiber { _ in #expect(call(child.pid) == 3) }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: Call.allCases)
    func endedFiberGetsECANCELEDAndTheChildStays(call: Call) {
        let child = ChildProcess("exit 5")
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            #expect(call(child.pid) == -ECANCELED)
            #expect(call(child.pid) == -ECANCELED)
            #expect(isUnfetchedChild(child.pid))
        }
        child.release()
        #expect(call(child.pid) == 5)
    }

    @Test func descriptorsAreClosedAfterwards() {
        let child = ChildProcess("exit 0")
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [child.release]
            #expect(Call.waitpid(child.pid) == 0)
        }
        #expect(scheduler.closed == [scheduler.waits[0].fd])
    }

    @Test func wnohangNeverParks() {
        let child = ChildProcess("exit 0")
        let scheduler = onFiber { _ in
            #expect(waitpid(child.pid, nil, WNOHANG) == 0)
            var info = siginfo_t()
            #expect(waitid(P_PID, id_t(child.pid), &info, WEXITED | WNOHANG) == 0)
        }
        #expect(scheduler.waits.isEmpty && scheduler.sleeps.isEmpty)
        child.release()
        #expect(Call.waitpid(child.pid) == 0)
    }

    @Test func wnowaitLeavesTheChild() {
        let child = ChildProcess("exit 9")
        onFiber { scheduler in
            scheduler.whenParked = [child.release]
            var info = siginfo_t()
            #expect(waitid(P_PID, id_t(child.pid), &info, WEXITED | WNOWAIT) == 0)
            #expect(info._sifields._sigchld.si_status == 9)
            #expect(Call.waitpid(child.pid) == 9)
        }
    }

    @Test func stoppedChildIsSeen() {
        let child = ChildProcess("exit 0")
        onFiber { scheduler in
            scheduler.whenParked = [{ kill(child.pid, SIGSTOP) }]
            var status: Int32 = 0
            #expect(waitpid(child.pid, &status, WUNTRACED) == child.pid)
            #expect(status & 0xff == 0x7f && status >> 8 == SIGSTOP)
        }
        kill(child.pid, SIGKILL)
        #expect(waitpid(child.pid, nil, 0) == child.pid)
    }

    @Test func groupWaitFetchesItsOwnChildrenOnly() {
        let leader = ChildProcess("exit 1", group: 0)
        let member = ChildProcess("exit 2", group: leader.pid)
        let stranger = ChildProcess("exit 3", group: 0)
        onFiber { scheduler in
            stranger.release()
            scheduler.whenParked = [member.release]
            var status: Int32 = 0
            #expect(waitpid(-leader.pid, &status, 0) == member.pid)
            #expect(status >> 8 == 2)
            leader.release()
            var info = siginfo_t()
            #expect(waitid(P_PGID, id_t(leader.pid), &info, WEXITED) == 0)
            #expect(info._sifields._sigchld.si_status == 1)
            #expect(waitpid(-leader.pid, &status, 0) == -1)
            #expect(errno == ECHILD)
            #expect(scheduler.offloads == 0)
        }
        #expect(Call.waitpid(stranger.pid) == 3)
    }

    @Test func childMadeDuringAGroupWaitIsSeen() {
        let leader = ChildProcess("exit 1", group: 0)
        var member: ChildProcess?
        onFiber { scheduler in
            scheduler.whenParked = [
                {
                    member = ChildProcess("exit 2", group: leader.pid)
                    member?.release()
                }
            ]
            #expect(waitpid(-leader.pid, nil, 0) == member?.pid)
        }
        leader.release()
        #expect(Call.waitpid(leader.pid) == 1)
    }

    @Test func anyChildIsFetchedByTheOthers() async {
        // In a process of its own, where no other test has children.
        await #expect(processExitsWith: .success) {
            onFiber { scheduler in
                let children = (1...3).map { ChildProcess("exit \($0)") }
                var status: Int32 = 0
                var usage = rusage()
                scheduler.whenParked = [children[1].release, children[0].release, children[2].release]
                #expect(waitpid(-1, &status, 0) == children[1].pid)
                #expect(wait(&status) == children[0].pid && status >> 8 == 1)
                #expect(wait3(&status, 0, &usage) == children[2].pid && status >> 8 == 3)
                #expect(scheduler.waits.count == 3)
                #expect(wait(&status) == -1)
                #expect(errno == ECHILD)
            }
        }
    }

    @Test(arguments: Call.allCases)
    func outsideAFiberItBlocks(call: Call) {
        let child = ChildProcess("sleep 0.1; exit 4")
        child.release()
        #expect(call(child.pid) == 4)
    }
}
