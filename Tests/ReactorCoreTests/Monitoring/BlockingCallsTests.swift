import CLinux
import Testing

@testable import ReactorCore

@Suite struct BlockingCallsTests {
    private func frame(_ function: String?, calls callee: String? = nil) -> StackFrame {
        StackFrame(function: function, file: "/usr/bin/films", offset: 0x4711, callee: callee)
    }

    @Test func theOutermostKnownCallIsNamed() {
        let stack = [
            frame("__poll"), frame(nil), frame("PQgetResult", calls: "poll"), frame("PQexecParams"),
            frame("Film.all() async throws -> Swift.Array<Film>"), frame(nil),
        ]
        #expect(BlockingCalls.operation(of: stack) == "PQexecParams")
    }

    @Test func aCallThatLeftNoFrameIsNamedByWhoMadeIt() {
        // PQexec ends by jumping to a function without a name.
        let stack = [frame("poll"), frame("PQgetResult"), frame(nil), frame("Film.all()", calls: "PQexec")]
        #expect(BlockingCalls.operation(of: stack) == "PQexec")
    }

    @Test func whatRunsTheLoopIsNoOperation() {
        let loop = frame("ReactorCore.Reactor.turn(waitingAtMost: Swift.Duration?) -> ()")
        #expect(BlockingCalls.operation(of: [frame("work()"), loop, frame("sleep")]) == nil)
        #expect(BlockingCalls.operation(of: [frame("usleep"), loop, frame("sleep")]) == "usleep")
    }

    @Test func codeThatRunsIsNoOperation() {
        #expect(BlockingCalls.operation(of: []) == nil)
        #expect(BlockingCalls.operation(of: [frame("Film.poll() -> ()"), frame("main")]) == nil)
    }

    @Test(
        arguments: [
            ("poll", "poll"), ("__poll", "poll"), ("__poll_chk", "poll"), ("__libc_recv", "recv"),
            ("__new_sem_wait", "sem_wait"), ("___pthread_mutex_lock", "pthread_mutex_lock"),
            ("polling", nil), ("", nil), ("_", nil),
        ] as [(String, String?)])
    func internalNamesOfLibcAreThePublicOnes(symbol: String, name: String?) {
        #expect(BlockingCalls.knownName(symbol) == name)
    }

    @Test func callsSayWhatTheyCall() {
        let sample = UnsafeMutablePointer<clinux_sample>.allocate(capacity: 1)
        defer { sample.deallocate() }
        let sleeper = Sleeper()
        sleeper.waitUntilItSleeps()
        defer { sleeper.join() }
        let result = clinux_sample_thread(sleeper.thread, sample)
        #expect(result == 0)
        let map = MemoryMap()
        let frames = Symbols.frames(StackWalk(sample: sample, map: map).addresses, map)
        let caller = frames.first { $0.function?.contains("sleepForAWhile") == true }
        #expect(caller?.callee == "usleep", "\(frames)")
        #expect(BlockingCalls.operation(of: frames) == "usleep")
    }
}
