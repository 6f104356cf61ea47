import CLinux
import Glibc

/// A bell that may be rung from anywhere, signal handlers included, and that stays rung until somebody has heard it.
///
/// ```swift
/// let wakeup = try Wakeup()
/// startThread { work(); wakeup.send() }
/// try await wakeup.wait()
/// ```
/// A `send` before the wait is kept, so none is lost; several before one wait count as one. One task waits at a time. An eventfd(2)
/// of its own, closed with the object; a child of a fork shares it.
public final class Wakeup: Sendable {
    /// The eventfd, for C code that rings by `eventfd_write(descriptor, 1)`.
    public let descriptor: Int32

    /// Makes a bell that has not been rung. Any thread.
    ///
    /// - Throws: `ReactorError` with code `systemCall` when no descriptors are left.
    public init() throws(ReactorError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard descriptor >= 0 else { throw Poller.failure("eventfd", errno) }
    }

    deinit { close(descriptor) }

    /// Wakes who waits, or who waits next. Any thread, and any signal handler that finds the object in memory of its own: one
    /// system call, no lock, no allocation, `errno` stays. Never waits.
    public func send() {
        let before = errno
        // Fails only when it has been rung 2⁶⁴ times unheard: it is rung then.
        _ = clinux_eventfd_ring(descriptor)
        errno = before
    }

    /// Takes the ringing, if there was any; whether there was. Any thread; never waits.
    public func tryWait() -> Bool {
        var count: UInt64 = 0
        return read(descriptor, &count, 8) == 8
    }

    /// Parks the calling task until the bell has been rung since it was last heard, or for `timeout`. Whether it was. Reactor only.
    ///
    /// - Throws: `ReactorError` with code `descriptorBusy` when another task waits; `CancellationError`. The ringing is not taken
    ///   then.
    @ReactorActor public func wait(timeout: Duration? = nil) async throws -> Bool {
        try Task.checkCancellation()
        let reactor = Reactor.current
        let deadline = timeout.map { reactor.now.advanced(by: $0) }
        while !tryWait() {
            let left = deadline.map { max(.zero, reactor.now.duration(to: $0)) }
            do { try await reactor.waitUntilReadable(descriptor, timeout: left) } catch let error
                as ReactorError where error.isTimeout
            {
                return tryWait()
            }
        }
        return true
    }
}
