import CLinux
import Glibc
import Synchronization

@testable import ReactorCore

/// A thread that sleeps in the kernel, three functions deep.
final class Sleeper: @unchecked Sendable {  // `body` is set before anybody else has it
    private let number = Atomic<Int32>(0)
    private let isOver = Atomic(false)
    private var body = pthread_t()

    var thread: Int32 { number.load(ordering: .acquiring) }

    init() {
        let code = pthread_create(
            &body, nil,
            { argument in
                // It is joined before it goes.
                Unmanaged<Sleeper>.fromOpaque(argument!).takeUnretainedValue().callerOfTheSleeper()
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        precondition(code == 0, "pthread_create failed: \(code)")
    }

    @inline(never) private func callerOfTheSleeper() {
        number.store(clinux_thread_id(), ordering: .releasing)
        sleepForAWhile()
        isOver.store(true, ordering: .relaxed)
    }

    @inline(never) private func sleepForAWhile() {
        while !isOver.load(ordering: .relaxed) { usleep(200_000) }
    }

    /// Returns when the kernel says that it sleeps.
    func waitUntilItSleeps() {
        while thread == 0 { usleep(1000) }
        while readFile("/proc/self/task/\(thread)/stat")?.contains(") S ") != true { usleep(1000) }
    }

    func join() {
        isOver.store(true, ordering: .relaxed)
        pthread_join(body, nil)
    }
}
