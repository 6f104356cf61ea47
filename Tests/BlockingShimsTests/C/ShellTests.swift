import CBlockingShims
import CLinux
import Glibc
import Testing

/// `system` changes what the whole process does with SIGINT and SIGQUIT: tests of that have a process of their own.
@Suite struct ShellTests {
    private static func ignoresInterrupt() -> Bool {
        var action = sigaction()
        sigaction(SIGINT, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
    }

    // MARK: system

    @Test func systemParksAndReturnsTheStatus() {
        let pipes = Pair.pipes(isInherited: true)
        onFiber { scheduler in
            scheduler.whenParked = [{ _ = write(pipes.second, "\n", 1) }]
            errno = ENOENT
            #expect(system("read line </dev/fd/\(pipes.first); exit 7") == 7 << 8)
            #expect(errno == ENOENT)
            #expect(scheduler.waits.count == 1 && scheduler.offloads == 0)
        }
    }

    @Test(arguments: [
        ("exit 0", 0), ("no-such-command-here 2>&-", 127 << 8), ("kill -9 $$", 9), ("-c 2>&-", 127 << 8),
    ])
    func statusIsTheShells(command: String, status: Int32) {
        onFiber { _ in #expect(system(command) == status) }
        if command != "-c 2>&-" { #expect(system(command) == status) }  // old glibc takes it for an option
    }

    @Test func absentCommandAsksForAShell() {
        onFiber { _ in #expect(system(nil) == 1) }
        #expect(system(nil) == 1)
    }

    @Test func keyboardSignalsAreIgnoredMeanwhileAndHeededByTheCommand() async {
        await #expect(processExitsWith: .success) {
            let before = Self.ignoresInterrupt()
            // A command has its thread's mask, and the threads that run tests may block everything.
            var (interrupt, mask) = (sigset_t(), sigset_t())
            sigaddset(&interrupt, SIGINT)
            pthread_sigmask(SIG_UNBLOCK, &interrupt, &mask)
            defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
            onFiber { scheduler in
                let pipes = Pair.pipes(isInherited: true)
                var during = false
                scheduler.whenParked = [
                    {
                        during = Self.ignoresInterrupt()
                        _ = write(pipes.second, "\n", 1)
                    }
                ]
                #expect(
                    system("read line </dev/fd/\(pipes.first); kill -2 $$; exit 1")
                        == (before ? 1 << 8 : SIGINT))
                #expect(during)
            }
            #expect(Self.ignoresInterrupt() == before)
        }
    }

    @Test func overlappingCallsRestoreTheSignalsOnce() async {
        await #expect(processExitsWith: .success) {
            let before = Self.ignoresInterrupt()
            let (outer, inner) = (Pair.pipes(isInherited: true), Pair.pipes(isInherited: true))
            onFiber { scheduler in
                scheduler.whenParked = [
                    {
                        onFiber { other in
                            other.whenParked = [{ _ = write(inner.second, "\n", 1) }]
                            #expect(system("read line </dev/fd/\(inner.first)") == 0)
                        }
                        #expect(system("exit 0") == 0)  // glibc's own, off fibers
                        #expect(Self.ignoresInterrupt())
                        _ = write(outer.second, "\n", 1)
                    }
                ]
                #expect(system("read line </dev/fd/\(outer.first)") == 0)
            }
            #expect(Self.ignoresInterrupt() == before)
        }
    }

    @Test func endedFibersCommandIsKilled() async {
        await #expect(processExitsWith: .success) {
            let pipes = Pair.pipes(isInherited: true)
            onFiber { scheduler in
                scheduler.failure = ECANCELED
                // It never gets its line; were it not killed, its copy of the pipe's end would stay open.
                #expect(
                    system("exec 1>/dev/fd/\(pipes.second) 2>&-; read line </dev/fd/\(pipes.first)") == -1)
                #expect(errno == ECANCELED)
            }
            #expect(!Self.ignoresInterrupt())
            #expect(system("exit 0") == 0)
        }
    }

    // MARK: popen

    /// All that a stream gives.
    private func text(of file: UnsafeMutablePointer<FILE>) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 100)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk.prefix(count)
        }
    }

    @Test func pcloseParks() {
        let pipes = Pair.pipes(isInherited: true)
        onFiber { scheduler in
            let file = popen("echo hello; exec >&-; read line </dev/fd/\(pipes.first); exit 6", "r")!
            #expect(text(of: file) == "hello\n")
            scheduler.whenParked = [{ _ = write(pipes.second, "\n", 1) }]
            errno = ENOENT
            #expect(pclose(file) == 6 << 8)
            #expect(errno == ENOENT)
            #expect(scheduler.offloads == 0)
        }
    }

    @Test func commandReadsWhatIsWritten() {
        let pipes = Pair.pipes(isInherited: true)
        onFiber { _ in
            let file = popen("cat >/dev/fd/\(pipes.second)", "we")!
            fputs("some words", file)
            #expect(pclose(file) == 0)
        }
        #expect(ReceiveTests.Call.read(pipes.first, 100).bytes == Array("some words".utf8))
    }

    @Test(arguments: ["", "x", "rw", "rr", "e"])
    func unknownModesAreInvalid(mode: String) {
        onFiber { _ in
            #expect(popen("exit 0", mode) == nil)
            #expect(errno == EINVAL)
        }
    }

    @Test func laterCommandsDoNotHoldEarlierPipes() {
        onFiber { _ in
            let pipes = Pair.pipes(isInherited: true)
            let first = popen("cat >/dev/null; echo end >/dev/fd/\(pipes.second)", "w")!
            let second = popen("read line", "w")!
            #expect(pclose(first) == 0, "`cat` had its end of file")
            #expect(pclose(second) == 1 << 8)
        }
    }

    @Test func streamMadeOnAFiberMayBeClosedOutside() {
        var file: UnsafeMutablePointer<FILE>?
        onFiber { _ in file = popen("exit 2", "r") }
        #expect(pclose(file!) == 2 << 8)
    }

    @Test func streamMadeOutsideIsClosedOnAWorker() {
        let file = popen("exit 3", "r")!
        let scheduler = onFiber { _ in #expect(pclose(file) == 3 << 8) }
        #expect(scheduler.offloads == 1)
    }

    @Test func killedFibersCommandIsFetchedWhenItEnds() throws {
        let pipes = Pair.pipes(isInherited: true)
        var pid: pid_t = 0
        onFiber { scheduler in
            let file = popen("echo $$; exec >&-; read line </dev/fd/\(pipes.first)", "r")!
            pid = Int32(text(of: file).dropLast()) ?? 0
            scheduler.failure = ECANCELED
            #expect(pclose(file) == -1)
            #expect(errno == ECANCELED)
        }
        try #require(pid > 0)
        #expect(isUnfetchedChild(pid))
        _ = write(pipes.second, "\n", 1)
        // The test's time limit is the runner's: it is fetched, or this never ends.
        while isUnfetchedChild(pid) { sched_yield() }
    }
}
