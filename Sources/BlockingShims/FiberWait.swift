import ReactorCore

/// A fiber's wait that another fiber or thread ends: the object behind `wait_begin` and its companions.
///
/// C code owns it twice, as who waits and as who wakes; `opaque` makes both ownerships, `wake` and `end` end one each.
final class FiberWait: Sendable {
    private let reactor: Reactor
    private let latch: Latch

    @ReactorActor init(on reactor: Reactor) {
        self.reactor = reactor
        latch = Latch(on: reactor)
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

    /// Parks the fiber's driver until somebody wakes it. Returns whether somebody has, rather than `timeout` passed.
    ///
    /// - Throws: `CancellationError` when `isKillable` and the task is cancelled.
    @ReactorActor func waitUntilWoken(for timeout: Duration?, isKillable: Bool) async throws -> Bool {
        var isOver = false
        let timer = timeout.map { timeout in
            reactor.callInternallyLater(timeout) { [latch] in if latch.open() { isOver = true } }
        }
        defer { timer?.cancelIfActive() }
        if isKillable {
            try await latch.waitUntilOpen()
        } else {
            try await latch.waitUntilOpenUncancellably()
        }
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
