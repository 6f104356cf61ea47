extension Cooperator {
    /// Adds a task whose steps are the elements of an asynchronous sequence: one is waited for at a time, and dropped.
    ///
    /// An error of the sequence fails the task; ending the task cancels the wait.
    @discardableResult
    public func cooperate<Steps: AsyncSequence>(
        _ steps: Steps, file: StaticString = #fileID, line: UInt = #line
    ) -> CooperativeTask {
        var iterator = steps.makeAsyncIterator()
        return cooperate(
            while: { () async throws -> Bool in
                // One step at a time: nobody else uses the iterator while it is away.
                var current = iterator
                defer { iterator = current }
                return try await current.next(isolation: ReactorActor.shared) != nil
            }, file: file, line: line)
    }

    /// Adds a task as `cooperate(_:)` does, and gives its end. As `coiterate(_:)` of other sequences.
    public func coiterate<Steps: AsyncSequence>(
        _ steps: Steps, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Void> {
        cooperate(steps, file: file, line: line).whenDoneOrCancelled()
    }
}
