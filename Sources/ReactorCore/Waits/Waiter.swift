/// A latch that hands a value to the task that waits. Reactor only, as `Latch`.
public final class Waiter<Value>: Latch, @unchecked Sendable {  // as Latch
    /// What is handed over: set before the latch opens, by whichever side has it.
    @ReactorActor @exclusivity(unchecked) public var value: Value?

    /// A waiter of a task on `reactor`.
    public override init(on reactor: Reactor, for reason: WaitReason = .unspecified) {
        super.init(on: reactor, for: reason)
    }

    /// Ends the wait with a value. Does nothing when it has ended already; returns whether it had not.
    @discardableResult
    @ReactorActor public func resume(returning value: Value) -> Bool {
        guard isPending else { return false }
        self.value = value
        return open()
    }

    /// Ends the wait with an error. Does nothing when it has ended already; returns whether it had not.
    @discardableResult
    @ReactorActor public func resume(throwing error: any Error) -> Bool { open(throwing: error) }

    /// Parks the calling task until there is an outcome. At most one task, once.
    ///
    /// - Throws: the error given to `resume(throwing:)`, or `CancellationError` when the task is cancelled first.
    @ReactorActor public func wait() async throws -> Value {
        try await waitUntilOpen()
        return value!  // set before the latch opens
    }

    /// Parks without regard to cancellation: for waits whose end is certain and whose caller must see it.
    @ReactorActor public func waitUncancellably() async throws -> Value {
        try await waitUntilOpenUncancellably()
        return value!  // as above
    }
}
