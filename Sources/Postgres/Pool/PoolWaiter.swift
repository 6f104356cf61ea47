import ConnectionPools
import ReactorCore

/// One borrower that waits for a connection, and the one outcome that resumes it.
///
/// Not ReactorCore's generic `Waiter`: every borrower of a busy pool makes one, and specialised it costs half.
@ReactorActor
final class PoolWaiter {
    typealias Lease = PoolLease<PostgresSession>

    /// When it gives up, on the pool's clock.
    let deadline: Duration
    private let reactor: Reactor
    private var parked: UnsafeContinuation<Void, Never>?
    private var lease: Lease?
    private var failure: (any Error)?

    init(until deadline: Duration, on reactor: Reactor) {
        self.deadline = deadline
        self.reactor = reactor
    }

    /// Whether the outcome is still open.
    var isPending: Bool { lease == nil && failure == nil }

    /// Hands the connection over. False when the borrower has left already: then it keeps nothing.
    func receive(_ lease: Lease) -> Bool {
        guard isPending else { return false }
        self.lease = lease
        resume()
        return true
    }

    /// Sends the borrower away. Does nothing when it has its outcome.
    func fail(_ error: any Error) {
        guard isPending else { return }
        failure = error
        resume()
    }

    /// Parks until the outcome is there or the task is cancelled.
    func wait() async throws -> Lease {
        if isPending {
            await withTaskCancellationHandler {
                // Resumed exactly once: `resume` forgets the continuation that it resumes.
                await withUnsafeContinuation { continuation in
                    if isPending { parked = continuation } else { continuation.resume() }
                }
            } onCancel: {
                cancelFromAnyThread()
            }
        }
        if let failure { throw failure }
        guard let lease else { preconditionFailure("a borrower was resumed without an outcome") }
        return lease
    }

    private func resume() {
        parked?.resume()
        parked = nil
    }

    private nonisolated func cancelFromAnyThread() {
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { fail(CancellationError()) }
        } else {
            reactor.callFromThread { self.fail(CancellationError()) }
        }
    }
}
