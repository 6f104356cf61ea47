/// One parked task and the one event that resumes it: the piece under every wait of this package.
///
/// `wait()` parks until somebody calls `resume` or the task is cancelled, whichever is first; later calls do
/// nothing. The event may come before the wait. Reactor only, but for cancellation, which may come from any
/// thread.
@ReactorActor
package final class Waiter<Value> {
    private enum State {
        case idle
        case parked(UnsafeContinuation<Void, Never>)
        case done
    }

    private var state = State.idle
    private var outcome: Result<Value, any Error>?
    private let reactor: Reactor

    /// A waiter of a task on `reactor`.
    package init(on reactor: Reactor) { self.reactor = reactor }

    /// Whether the outcome is still open.
    package var isPending: Bool { outcome == nil }

    /// Ends the wait with a value. Does nothing when it has ended already; returns whether it had not.
    @discardableResult
    package func resume(returning value: Value) -> Bool { finish(.success(value)) }

    /// Ends the wait with an error. Does nothing when it has ended already; returns whether it had not.
    @discardableResult
    package func resume(throwing error: any Error) -> Bool { finish(.failure(error)) }

    private func finish(_ result: Result<Value, any Error>) -> Bool {
        guard outcome == nil else { return false }
        outcome = result
        if case .parked(let continuation) = state {
            state = .done
            continuation.resume()
        }
        return true
    }

    /// Parks the calling task until the outcome is there. At most one task, once.
    ///
    /// - Throws: the error given to `resume(throwing:)`, or `CancellationError` when the task is cancelled
    ///   first.
    package func wait() async throws -> Value {
        precondition({ if case .idle = state { true } else { false } }(), "a waiter is waited for twice")
        if outcome == nil {
            await withTaskCancellationHandler {
                await withUnsafeContinuation { continuation in
                    if outcome == nil { state = .parked(continuation) } else { continuation.resume() }
                }
            } onCancel: {
                cancelFromAnyThread()
            }
        }
        state = .done
        return try outcome!.get()
    }

    /// Parks without regard to cancellation: for waits whose end is certain and whose caller must see it.
    package func waitUncancellably() async throws -> Value {
        if outcome == nil {
            await withUnsafeContinuation { continuation in state = .parked(continuation) }
        }
        state = .done
        return try outcome!.get()
    }

    private nonisolated func cancelFromAnyThread() {
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { _ = finish(.failure(CancellationError())) }
        } else {
            reactor.callFromThread { self.resume(throwing: CancellationError()) }
        }
    }
}
