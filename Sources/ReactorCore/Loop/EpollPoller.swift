import CLinux
import Glibc

/// The kernel side of the loop by epoll(7): an instance, and an eventfd that foreign threads write to wake it.
final class EpollPoller: Sendable {
    /// The epoll instance; itself readable when there are events.
    let epoll: Int32
    private let wakeup: Int32
    /// What makes both anew in the child of a fork. Unsafe: set once.
    private nonisolated(unsafe) let forkWatch: OpaquePointer?
    /// Unsafe: filled and read only by the thread inside `wait`.
    @exclusivity(unchecked) private nonisolated(unsafe) var batch = EventBatch()
    /// Whether a wait has ended before anything happened, by a signal or the like. Unsafe: as `batch`.
    @exclusivity(unchecked) nonisolated(unsafe) var wasInterrupted = false

    init() throws(ReactorError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        let epollError = errno
        wakeup = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        let wakeupError = errno
        forkWatch = epoll >= 0 && wakeup >= 0 ? clinux_poller_watch(epoll, wakeup) : nil
        guard epoll >= 0 else { throw Poller.failure("epoll_create1", epollError) }
        guard wakeup >= 0 else { throw Poller.failure("eventfd", wakeupError) }
        // Edge-triggered: the counter is never read. Each write is an edge, and an edge is all it has to say.
        let result = clinux_epoll_ctl(
            epoll, Int32(EPOLL_CTL_ADD), wakeup, EPOLLIN.rawValue | EPOLLET.rawValue, 0)
        guard result == 0 else { throw Poller.failure("epoll_ctl of a fresh eventfd", -result) }
    }

    deinit {
        batch.deallocate()
        clinux_poller_unwatch(forkWatch)
        if wakeup >= 0 { close(wakeup) }
        if epoll >= 0 { close(epoll) }
    }

    /// Ends the current or the next wait. Any thread.
    func wake() {
        _ = eventfd_write(wakeup, 1)
    }

    /// Sets what is reported for a descriptor. Returns 0 or −errno.
    func control(_ operation: Poller.Operation, _ fd: Int32, events: UInt32, generation: UInt32) -> Int32 {
        clinux_epoll_ctl(epoll, operation.rawValue, fd, events, generation)
    }

    /// Waits for events; a negative time-out waits until woken. Returns how many there are to be handled.
    @ReactorActor func wait(timeoutNanoseconds: Int64) -> Int {
        let count = Int(
            clinux_epoll_wait(epoll, batch.events, Int32(EventBatch.capacity), timeoutNanoseconds))
        guard count < 0 else { return count }
        precondition(count == -Int(EINTR), "epoll_wait failed: \(errnoText(-Int32(count)))")
        wasInterrupted = true
        return 0
    }

    /// Hands each of the events that `wait` has found to `resume`, and to `call` those of which it says so.
    ///
    /// To resume a task is a matter of nanoseconds, what `call` does takes its time: a `TurnLimit` cuts it
    /// short. Those left out are reported again by the next wait if they are still ready, and the next batch
    /// begins with them.
    @ReactorActor func handle(
        _ count: Int, resume: @ReactorActor (clinux_event) -> Bool, call: @ReactorActor (clinux_event) -> Void
    ) {
        var callCount = 0
        let events = batch.events
        for index in 0..<count where events[index].fd != wakeup && resume(events[index]) {
            events[callCount] = events[index]
            callCount += 1
        }
        batch.call(callCount, call)
    }
}
