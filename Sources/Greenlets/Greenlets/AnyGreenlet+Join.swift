import CLinux
public import ReactorCore

extension AnyGreenlet {
    /// Parks the calling task until the greenlet has ended, however it ended, or `timeout` is over. True when
    /// it has ended.
    ///
    /// - Throws: `CancellationError` when the calling task is cancelled; `GreenletError` with code `waitsForItself` when the
    ///   greenlet itself calls this.
    @discardableResult
    public func join(timeout: Duration? = nil) async throws -> Bool {
        if isReady { return true }
        let latch = try latchForEnd()
        guard let timeout else {
            try await latch.waitUntilOpen()
            return true
        }
        let timer = reactor.callInternallyLater(timeout) { latch.open() }
        defer { timer.cancelIfActive() }
        try await latch.waitUntilOpen()
        return isReady
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func join(timeout: Duration? = nil) throws -> Bool {
        try Greenlet.inGreenlet {
            if isReady { return true }
            let latch = try latchForEnd()
            guard let timeout else {
                try Greenlet.wait(for: latch)
                return true
            }
            let timer = reactor.callInternallyLater(timeout) { latch.open() }
            defer { timer.cancelIfActive() }
            try Greenlet.wait(for: latch)
            return isReady
        }
    }

    /// As `join()`, without regard to cancellation of the calling task.
    func joinUncancellably() async {
        guard !isReady, !isRunByCaller else { return }
        // It is opened without an error.
        try? await latchForEnd().waitUntilOpenUncancellably()
    }

    /// A wait of the greenlet's own task for its end would never end. What other tasks it has made may wait.
    func checkIsNotCaller() throws(GreenletError) {
        // Not begun, it calls nothing: the usual case, and the cheap one.
        guard isStarted, isRunByCaller else { return }
        throw GreenletError(
            .waitsForItself,
            "greenlet \"\(name)\" waits for its own end, which would never come: join it from another one")
    }

    /// Whether the calling code runs in the greenlet's own task, on its fiber or beside.
    var isRunByCaller: Bool {
        let current = UInt(bitPattern: clinux_current_task())
        return taskAddress == current || fiber?.requestTaskAddress == current
    }

    /// A latch that opens as the greenlet ends.
    ///
    /// - Throws: `GreenletError` with code `waitsForItself`.
    @usableFromInline func latchForEnd() throws(GreenletError) -> Latch {
        try checkIsNotCaller()
        let latch = Latch(on: reactor, for: .subject(self))
        add(joiner: latch)
        return latch
    }
}
