import CLinux

/// One parked task and the one event that resumes it: the piece under every wait of this package.
///
/// `waitUntilOpen()` parks until somebody calls `open` or the task is cancelled, whichever is first; later calls do
/// nothing. The event may come before the wait. Reactor only, but for cancellation, which may come from any
/// thread. `Waiter` is a latch that hands over a value.
///
/// What the standard library calls back (`park`, the cancellation) is not isolated: an isolated function given to it is
/// checked each time it is called. All else is.
public class Latch: @unchecked Sendable {  // reactor only; cancellation hops there
    private enum State: UInt8 { case pending, open, failed }

    @exclusivity(unchecked) private var state = State.pending
    @exclusivity(unchecked) private var isWaitedFor = false
    @exclusivity(unchecked) private var continuation: UnsafeContinuation<Void, Never>?
    @exclusivity(unchecked) private var error: (any Error)?
    private let reactor: Reactor

    /// A latch for a task on `reactor`.
    public init(on reactor: Reactor) { self.reactor = reactor }

    /// Whether it is still closed.
    @ReactorActor public final var isPending: Bool { state == .pending }

    /// Ends the wait. Does nothing when it has ended already; returns whether it had not.
    @discardableResult
    @ReactorActor public final func open() -> Bool {
        guard state == .pending else { return false }
        state = .open
        resume()
        return true
    }

    /// Ends the wait with an error. Does nothing when it has ended already; returns whether it had not.
    @discardableResult
    @ReactorActor public final func open(throwing error: any Error) -> Bool {
        guard state == .pending else { return false }
        state = .failed
        self.error = error
        resume()
        return true
    }

    private final func resume() {
        guard let continuation else { return }
        self.continuation = nil
        continuation.resume()
    }

    /// Parks the calling task until the latch is open. At most one task, once.
    ///
    /// - Throws: the error given to `open(throwing:)`, or `CancellationError` when the task is cancelled first.
    @ReactorActor public final func waitUntilOpen() async throws {
        claim()
        if state == .pending {
            Self.prepare()
            // This frame holds the latch until the handler is gone.
            let handler = clinux_add_cancellation_handler(Unmanaged.passUnretained(self).toOpaque())
            await withUnsafeContinuation(park)
            clinux_remove_cancellation_handler(handler)
        }
        if let error { throw error }
    }

    private static func prepare() { _ = isPrepared }

    private static let isPrepared: Bool = {
        // Called with a latch whose wait is under way.
        clinux_set_on_cancel { Unmanaged<Latch>.fromOpaque($0!).takeUnretainedValue().cancelFromAnyThread() }
        return true
    }()

    /// Parks without regard to cancellation: for waits whose end is certain and whose caller must see it.
    @ReactorActor public final func waitUntilOpenUncancellably() async throws {
        claim()
        if state == .pending { await withUnsafeContinuation(park) }
        if let error { throw error }
    }

    private final func claim() {
        precondition(!isWaitedFor, "a wait is begun twice")
        isWaitedFor = true
    }

    private final func park(_ continuation: UnsafeContinuation<Void, Never>) {
        // A task that was cancelled before has its outcome already.
        if state == .pending { self.continuation = continuation } else { continuation.resume() }
    }

    private final func cancelFromAnyThread() {
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { _ = open(throwing: CancellationError()) }
        } else {
            reactor.callFromThread { self.open(throwing: CancellationError()) }
        }
    }
}
