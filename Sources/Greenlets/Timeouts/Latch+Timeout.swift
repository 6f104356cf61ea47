public import ReactorCore

/// Ends a wait whose time is over; seen by nobody but the two functions below.
private struct TimeIsOver: Error {}

extension Latch {
    /// Parks the calling task until the latch opens, or for `timeout` if there is one. Whether it opened in time.
    ///
    /// When not, it has left the line it stood in, and stays closed to those who would open it. Zero gives everything
    /// that is ready one turn.
    @usableFromInline @ReactorActor func waitUntilOpen(timeout: Duration?) async throws -> Bool {
        guard let timeout else {
            try await waitUntilOpen()
            return true
        }
        let timer = closeLater(timeout)
        defer { timer.cancelIfActive() }
        do { try await waitUntilOpen() } catch is TimeIsOver { return false }
        return true
    }

    @ReactorActor fileprivate func closeLater(_ timeout: Duration) -> DelayedCall {
        reactor.callInternallyLater(timeout) { self.open(throwing: TimeIsOver()) }
    }
}

extension Greenlet where Value == Never {
    /// As `Latch.waitUntilOpen(timeout:)`, for synchronous code in a greenlet.
    ///
    /// - Throws: as `wait(for:)`.
    @usableFromInline nonisolated static func wait(for latch: Latch, timeout: Duration?) throws -> Bool {
        try inFiber { fiber in
            guard let timeout else {
                try fiber.wait(for: latch)
                return true
            }
            let timer = latch.closeLater(timeout)
            defer { timer.cancelIfActive() }
            do { try fiber.wait(for: latch) } catch is TimeIsOver { return false }
            return true
        }
    }
}
