public import ReactorCore

extension FileWatcher {
    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func next() throws -> FileChange? {
        try Greenlet.blockingCall { try await self.next() }
    }
}
