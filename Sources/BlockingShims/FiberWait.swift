import Greenlets
import ReactorCore

/// A fiber's wait that another fiber or thread ends: the object behind `wait_begin` and its companions.
///
/// C code owns it twice, as who waits and as who wakes; `opaque` makes both ownerships, `wake` and `end` end one each.
final class FiberWait: Sendable {
    private let reactor: Reactor
    private let latch: Latch
    /// What is waited for; the latch does not hold it.
    private let lock: FiberLock?

    /// - Parameter lock: what is waited for; nil for what is no lock, and may come from outside.
    @ReactorActor init(on reactor: Reactor, for lock: FiberLock?) {
        self.reactor = reactor
        self.lock = lock
        latch = Latch(on: reactor, for: lock.map { .subject($0) } ?? .unspecified)
    }

    /// The object with two ownerships, for C.
    func opaque() -> UnsafeMutableRawPointer {
        // Released by wake() and end(), which C calls twice in all.
        _ = Unmanaged.passRetained(self)
        return Unmanaged.passRetained(self).toOpaque()
    }

    /// What `opaque` made.
    static func at(_ pointer: UnsafeMutableRawPointer) -> FiberWait {
        Unmanaged.fromOpaque(pointer).takeUnretainedValue()  // the caller has an ownership
    }

    /// Parks `fiber`, whose code calls, until somebody wakes it. Returns whether somebody has, rather than `timeout` passed.
    ///
    /// - Throws: what interrupts the fiber.
    @ReactorActor func parkUntilWoken(_ fiber: Fiber, for timeout: Duration?) throws -> Bool {
        var isOver = false
        let timer = timeout.map { timeout in
            reactor.callInternallyLater(timeout) { [latch] in if latch.open() { isOver = true } }
        }
        defer { timer?.cancelIfActive() }
        try fiber.wait(for: latch)
        return !isOver
    }

    /// Ends the wait and the waker's ownership. Any thread.
    func wake() {
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { _ = latch.open() }
        } else {
            reactor.callFromThread { [latch] in latch.open() }
        }
        end()
    }

    /// Ends an ownership. Any thread.
    func end() { Unmanaged.passUnretained(self).release() }  // one that opaque() made
}
