import CLinux
import Synchronization

/// What the loop tells its monitor: a few words that the loop's thread stores and the monitor's loads.
///
/// All of it relaxed: the monitor looks every few milliseconds, and only words that did not change for long mean
/// anything. In a loop that has no monitor nothing is stored.
final class MonitorWords: Sendable {
    /// Since when the loop has been busy: the start of the turn, or of what woke it. Zero while it sleeps.
    let busySince = Atomic<Int64>(0)
    /// Counts jobs.
    let progress = Atomic<UInt64>(0)
    /// The task that runs, by address; zero outside of jobs.
    let running = Atomic<UInt>(0)
    /// Whether the block going on has been reported, and its end is to be noted.
    let isReported = Atomic(false)
    /// Whether the monitor is about to report a block that it has seen.
    let isReporting = Atomic(false)
    /// When it ended.
    let endedAt = Atomic<Int64>(0)
    /// Whether the monitor sleeps until the loop wakes. A word of the kernel's for futex(2): it stays where it is.
    /// Unsafe: freed by deinit alone.
    private nonisolated(unsafe) let bell: UnsafeMutablePointer<Atomic<UInt32>>

    private static let awake: UInt32 = 0
    private static let asleep: UInt32 = 1

    init() {
        bell = .allocate(capacity: 1)
        bell.initialize(to: Atomic(Self.awake))
    }

    deinit {
        bell.deinitialize(count: 1)
        bell.deallocate()
    }

    // MARK: The loop's side

    @inline(__always) func turnBegins(at time: Int64) {
        busySince.store(time, ordering: .relaxed)
        noteEnd(at: time)
    }

    @inline(__always) func jobBegins(_ task: UInt) {
        running.store(task, ordering: .relaxed)
        // Written by the loop alone.
        progress.store(progress.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    @inline(__always) func jobEnded() {
        if isReported.load(ordering: .relaxed) { noteEnd(at: clinux_monotonic_ns()) }
    }

    /// No task runs any more; what follows is the loop's own.
    @inline(__always) func jobsEnded() {
        running.store(0, ordering: .relaxed)
        progress.store(progress.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    func loopSleeps() {
        busySince.store(0, ordering: .relaxed)
        noteEnd(at: isReported.load(ordering: .relaxed) ? clinux_monotonic_ns() : 0)
    }

    func loopWakes() {
        busySince.store(clinux_monotonic_ns(), ordering: .relaxed)
        if bell.pointee.load(ordering: .relaxed) == Self.asleep { ring() }
    }

    private func noteEnd(at time: Int64) {
        guard isReported.load(ordering: .relaxed) else { return }
        endedAt.store(time, ordering: .relaxed)
        isReported.store(false, ordering: .releasing)
    }

    /// Wakes a monitor that sleeps. Any thread.
    func ring() {
        bell.pointee.store(Self.awake, ordering: .releasing)
        clinux_futex_wake(word)
    }

    // MARK: The monitor's side

    /// Sleeps for `nanoseconds`.
    func pause(nanoseconds: Int64) { clinux_futex_wait(word, Self.awake, nanoseconds) }

    /// Sleeps until the loop wakes, or for `nanoseconds`; negative for as long as it takes.
    ///
    /// The loop may have looked at the bell just before it was set. It is busy then, which can be seen after the first,
    /// short sleep: by then each thread has seen what the other stored.
    func sleepUntilRung(firstNanoseconds: Int64, nanoseconds: Int64) {
        bell.pointee.store(Self.asleep, ordering: .sequentiallyConsistent)
        clinux_futex_wait(word, Self.asleep, firstNanoseconds)
        if busySince.load(ordering: .sequentiallyConsistent) == 0, nanoseconds != 0 {
            clinux_futex_wait(word, Self.asleep, nanoseconds)
        }
        bell.pointee.store(Self.awake, ordering: .relaxed)
    }

    private var word: UnsafePointer<UInt32> {
        // An atomic word is its value, alone.
        UnsafeRawPointer(bell).assumingMemoryBound(to: UInt32.self)
    }
}
