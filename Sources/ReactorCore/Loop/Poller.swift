import CLinux
import Glibc

/// The kernel side of the loop: an epoll instance, and an eventfd that foreign threads write to wake it.
final class Poller: Sendable {
    private let epoll: Int32
    private let wakeup: Int32
    private static let eventsPerWait = 256
    /// Unsafe: filled and read only by the thread inside `wait`.
    private nonisolated(unsafe) let events = UnsafeMutablePointer<clinux_event>.allocate(
        capacity: eventsPerWait)
    /// Which of `events` are still to be handed out. Unsafe: as `events`.
    private nonisolated(unsafe) var pending = 0..<0

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

    /// Waits for events and hands each to `body`, for as long as a `TurnLimit` allows; the next call goes on
    /// with the rest, without waiting. A negative time-out waits until woken.
    @ReactorActor func wait(timeoutNanoseconds: Int64, _ body: @ReactorActor (clinux_event) -> Void) {
        if pending.isEmpty {
            let count = clinux_epoll_wait(epoll, events, Int32(Self.eventsPerWait), timeoutNanoseconds)
            precondition(count >= 0 || count == -EINTR, "epoll_wait failed: \(errnoText(-count))")
            guard count > 0 else { return }
            pending = 0..<Int(count)
        }
        var limit = TurnLimit()
        while let index = pending.popFirst() {
            if events[index].fd == wakeup { continue }
            body(events[index])
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
