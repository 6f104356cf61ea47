import ReactorCore

extension AnyGreenlet {
    /// Asks the greenlet to end and returns at once; gevent's `kill(block=False)`. Never waits.
    ///
    /// Not begun, started or not: its body never runs, and it has ended when this returns. Parked: its wait ends now, with
    /// `error` in synchronous code and `CancellationError` in `async` code. Parked in a C library: the call it waits in
    /// fails with ECANCELED, as do all later ones, until the library has returned to Swift. Running: at its next wait.
    /// Ended: nothing happens. The first error given stays.
    public func cancel(throwing error: any Error = GreenletExit()) {
        guard !isReady, killError == nil else { return }
        madeExtras.killError = error
        guard isStarted else { return endUnbegun(throwing: error) }
        switch stage {
        case .onFiber(let driver): driver.kill(throwing: error)
        case .running(let task): task.cancel()
        case .idle, .spawned, .failed: break
        }
    }

    /// `cancel`, then parks the calling task until the greenlet has ended, or `timeout` is over; gevent's `kill()`. Whether
    /// it has ended: one that catches its killer's error may live on, with or without being waited for.
    ///
    /// A greenlet that kills itself does not wait for its own end.
    /// - Throws: `CancellationError` when the calling task is cancelled meanwhile; the greenlet dies all the
    ///   same.
    @discardableResult
    public func kill(
        throwing error: any Error = GreenletExit(), timeout: Duration? = nil
    ) async throws -> Bool {
        cancel(throwing: error)
        guard Self.current !== self else { return isReady }
        return try await join(timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func kill(
        throwing error: any Error = GreenletExit(), timeout: Duration? = nil
    ) throws -> Bool {
        try Greenlet.inFiber { _ in
            cancel(throwing: error)
            guard Self.current !== self else { return isReady }
            return try join(timeout: timeout)
        }
    }
}
