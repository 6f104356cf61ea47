import CLinux
import Glibc

/// The kernel side of the loop: an epoll instance, and an eventfd that foreign threads write to wake it.
final class Poller: Sendable {
    /// The epoll instance; itself readable when there are events.
    let epoll: Int32
    private let wakeup: Int32
    private static let eventsPerWait = 256
    /// Unsafe: filled and read only by the thread inside `wait`.
    private nonisolated(unsafe) let events = UnsafeMutablePointer<clinux_event>.allocate(
        capacity: eventsPerWait)
    /// Where in a batch of events the callbacks begin. Unsafe: as `events`.
    private nonisolated(unsafe) var first = 0

    init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(
            epoll >= 0, "epoll_create1 failed: \(errnoText(errno)); is the descriptor limit reached?")
        wakeup = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        precondition(wakeup >= 0, "eventfd failed: \(errnoText(errno)); is the descriptor limit reached?")
        // Edge-triggered: the counter is never read. Each write is an edge, and an edge is all it has to say.
        let result = clinux_epoll_ctl(
            epoll, Int32(EPOLL_CTL_ADD), wakeup, EPOLLIN.rawValue | EPOLLET.rawValue, 0)
        precondition(result == 0, "epoll_ctl of a fresh eventfd failed: \(errnoText(-result))")
    }

    deinit {
        events.deallocate()
        close(wakeup)
        close(epoll)
    }

    /// Ends the current or the next wait. Any thread.
    func wake() {
        _ = eventfd_write(wakeup, 1)
    }

    /// Sets what is reported for a descriptor. Returns 0 or −errno.
    func control(_ operation: Operation, _ fd: Int32, events: UInt32, generation: UInt32) -> Int32 {
        clinux_epoll_ctl(epoll, operation.rawValue, fd, events, generation)
    }

    enum Operation: Int32 {
        case add = 1, delete = 2, modify = 3  // EPOLL_CTL_ADD, _DEL, _MOD
    }

    /// Waits for events and hands each to `resume`, and to `call` those of which it says so. A negative
    /// time-out waits until woken.
    ///
    /// To resume a task is a matter of nanoseconds, what `call` does takes its time: a `TurnLimit` cuts it
    /// short. Those left out are reported again by the next wait if they are still ready, and the next batch
    /// begins with them.
    @ReactorActor func wait(
        timeoutNanoseconds: Int64, resume: @ReactorActor (clinux_event) -> Bool,
        call: @ReactorActor (clinux_event) -> Void
    ) {
        let count = Int(clinux_epoll_wait(epoll, events, Int32(Self.eventsPerWait), timeoutNanoseconds))
        precondition(count >= 0 || count == -Int(EINTR), "epoll_wait failed: \(errnoText(-Int32(count)))")
        var callCount = 0
        for index in 0..<max(0, count) where events[index].fd != wakeup && resume(events[index]) {
            events[callCount] = events[index]
            callCount += 1
        }
        guard callCount > 0 else { return }
        var limit = TurnLimit()
        // The kernel keeps the order of descriptors that stay ready: without a moving start the last would
        // starve.
        for _ in 0..<callCount {
            first = (first + 1) % callCount
            call(events[first])
            if limit.isReached() { return }
        }
    }
}

/// `No such file or directory (errno 2)`: the text of an errno for messages.
package func errnoText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "errno \(code)" }
    let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(text) (errno \(code))"
}
