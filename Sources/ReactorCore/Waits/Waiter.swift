/// A latch that hands a value to the task that waits. Reactor only, as `Latch`.
public final class Waiter<Value>: Latch, @unchecked Sendable {  // as Latch
    @exclusivity(unchecked) @usableFromInline var slot = ValueSlot()

    /// What is handed over: set before the latch opens, by whichever side has it.
    @ReactorActor @inlinable public var value: Value? {
        get { slot.value(Value.self) }
        set { slot.put(newValue, Value.self) }
    }

    /// Takes the value out: for who is the last to look. The waiter has less to do then as it goes.
    @ReactorActor @inlinable public func take() -> Value? { slot.take(Value.self) }

    /// A waiter of a task on `reactor`.
    public override init(on reactor: Reactor, for reason: WaitReason = .unspecified) {
        super.init(on: reactor, for: reason)
    }

    deinit { if slot.isFull { slot.clear(Value.self) } }

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
        return take()!  // set before the latch opens
    }

    /// Parks without regard to cancellation: for waits whose end is certain and whose caller must see it.
    @ReactorActor public func waitUncancellably() async throws -> Value {
        try await waitUntilOpenUncancellably()
        return take()!  // as above
    }
}
