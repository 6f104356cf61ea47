import ReactorCore

/// Wakes the one task that looks after a session. A wake-up that finds nobody parked is kept for the next wait.
///
/// Reasons are not carried: whoever wakes looks at the state again, so a spurious wake-up is harmless.
@ReactorActor
final class Signal {
    private var parked: UnsafeContinuation<Void, Never>?
    private var isRaised = false

    nonisolated init() {}

    func raise() {
        if let continuation = parked {
            parked = nil
            continuation.resume()
        } else {
            isRaised = true
        }
    }

    /// Whether it was raised since the last wait; takes it back.
    func take() -> Bool {
        defer { isRaised = false }
        return isRaised
    }

    /// Keeps what `raise` resumes: the wait itself, for a caller that must not pay for another async call.
    func park(_ continuation: UnsafeContinuation<Void, Never>) { parked = continuation }

    /// Parks until raised, whatever happens to the task. One task at a time.
    func wait() async {
        if !isRaised {
            // Resumed exactly once: `raise` forgets the continuation that it resumes.
            await withUnsafeContinuation { parked = $0 }
        }
        isRaised = false
    }
}
