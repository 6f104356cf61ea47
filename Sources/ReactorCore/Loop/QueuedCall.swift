/// What the loop runs for its users: a call of `callLater`, `callFromThread`, `addReader`, a trigger, a
/// signal's handler.
package typealias QueuedCall = @ReactorActor () throws -> Void

extension Reactor {
    // MARK: The context of a call

    /// Every closure that a user hands in to be run once passes through here, in the context of who hands it
    /// in: the task-local values bound there are bound again when it runs. For next to nothing when none is
    /// bound.
    @ReactorActor @inline(__always)
    static func preparing(_ call: consuming @escaping QueuedCall) -> QueuedCall {
        guard let snapshot = TaskLocalSnapshot.capture() else { return call }
        return bound(call, snapshot)
    }

    /// As `preparing`, for what any thread may hand in. Foreign threads are in no task of the reactor:
    /// nothing is bound for their calls.
    static func preparingFromAnyThread(_ call: consuming @escaping QueuedCall) -> QueuedCall {
        guard ofThisThread != nil,
            let snapshot = ReactorActor.assumeIsolated({ TaskLocalSnapshot.capture() })
        else { return call }
        return bound(call, snapshot)
    }

    private static func bound(_ call: @escaping QueuedCall, _ snapshot: TaskLocalSnapshot) -> QueuedCall {
        {
            var failure: (any Error)?
            snapshot.run {
                do { try call() } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    // MARK: Failures

    /// Runs user code that the loop itself calls; an error goes to `onUncaughtError` and the loop goes on.
    @ReactorActor package func attempt(
        _ context: @autoclosure () -> String, _ body: @ReactorActor () throws -> Void
    ) {
        do { try body() } catch { onUncaughtError(error, context()) }
    }
}
