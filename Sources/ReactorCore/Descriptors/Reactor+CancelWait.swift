extension Reactor {
    /// Ends the waits for a descriptor, which stays open: gevent's `cancel_wait`. Reactor only; never waits.
    ///
    /// The tasks parked for it throw when they next run, and nothing of their waits is left. Callbacks of `addReader` and
    /// `addWriter` stay. To close the descriptor, call `descriptorWillClose` instead.
    /// - Parameters:
    ///   - interest: the directions whose waits end; one that is for both ends with either.
    ///   - error: what they end with; a `ReactorError` with code `waitCancelled` unless given.
    /// - Returns: how many waits ended.
    @ReactorActor @discardableResult
    public func cancelWait(
        on fd: Int32, _ interest: ReadySet = [.readable, .writable], throwing error: (any Error)? = nil
    ) -> Int {
        guard fd >= 0, descriptors.hasSeen(fd) else { return 0 }
        let entry = descriptors[fd]
        let error =
            error
            ?? ReactorError(
                .waitCancelled, "the wait for descriptor \(fd) was called off by cancelWait(on: \(fd))")
        var count = 0
        for (watcher, direction) in [(entry.reader, ReadySet.readable), (entry.writer, .writable)]
        where interest.contains(direction) {
            // The second place of one who waits for both: it has been resumed by the first.
            if case .waiter(let waiter)? = watcher, waiter.open(throwing: error) { count += 1 }
        }
        return count
    }
}
