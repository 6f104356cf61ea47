/// What a task has used of the loop, since its greenlet began or accounting was turned on.
package struct TaskAccount: Sendable {
    /// Steps: how often it was resumed.
    package var runCount = 0
    /// Processor time of the loop's thread, in nanoseconds.
    package var processorTime: Int64 = 0
}

extension Reactor {
    /// Whether the loop counts, for dumps, how often each task runs and the processor time that it uses. Reactor only.
    ///
    /// Off unless the environment's `REACTOR_ACCOUNTING` is `1` when the reactor is run: the clock of the thread is
    /// read for each step of each task, which makes one some 300 ns longer. Off, it costs nothing.
    @ReactorActor public var isAccounting: Bool {
        get { observation.contains(.accounting) }
        set {
            guard newValue != isAccounting else { return }
            accounts = [:]
            accountOwners = [:]
            if newValue { observation.insert(.accounting) } else { observation.remove(.accounting) }
        }
    }
}
