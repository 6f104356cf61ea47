import CLinux

/// One parked task and the one event that resumes it: the piece under every wait of this package.
///
/// `waitUntilOpen()` parks until somebody calls `open` or the task is cancelled, whichever is first; later calls do
/// nothing. The event may come before the wait. Reactor only, but for cancellation, which may come from any
/// thread. `Waiter` is a latch that hands over a value; `ParkingLine` is a line of latches.
///
/// What the standard library calls back (`park`, the cancellation) is not isolated: an isolated function given to it is
/// checked each time it is called. All else is.
public class Latch: @unchecked Sendable {  // reactor only; cancellation hops there
    private enum State: UInt8 { case pending, open, failed }

    @exclusivity(unchecked) private var state = State.pending
    @exclusivity(unchecked) private var isWaitedFor = false
    @exclusivity(unchecked) private var continuation: UnsafeContinuation<Void, Never>?
    @exclusivity(unchecked) private var error: (any Error)?
    package let reactor: Reactor

    /// What the wait is for, as reports show it.
    package let reason: WaitReason
    /// The task that is parked, by address, and since when; see `ParkedTasks`.
    @exclusivity(unchecked) package private(set) var task: UnsafeMutableRawPointer?
    @exclusivity(unchecked) package private(set) var parkedSince: Int64 = 0
    /// Neighbours among all that are parked. Unsafe: a latch takes itself out before it goes.
    @exclusivity(unchecked) unowned(unsafe) var previousParked: Latch?
    @exclusivity(unchecked) unowned(unsafe) var nextParked: Latch?
    /// The line it stands in, and its neighbours there. Unsafe: as above, and a line that goes lets its latches go.
    @exclusivity(unchecked) unowned(unsafe) var line: ParkingLine?
    @exclusivity(unchecked) unowned(unsafe) var previousInLine: Latch?
    @exclusivity(unchecked) unowned(unsafe) var nextInLine: Latch?

    /// A latch for a task on `reactor`.
    public init(on reactor: Reactor, for reason: WaitReason = .unspecified) {
        self.reactor = reactor
        self.reason = reason
    }

    deinit {
        // Dropped before its event came, without or with a wait that nobody will end: by reactor code, or by the last
        // owner of a reactor that is gone.
        line?.takeOut(self)
        if task != nil { reactor.parkedTasks.remove(self) }
    }

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
        line?.takeOut(self)
        guard let continuation else { return }
        self.continuation = nil
        task = nil
        reactor.parkedTasks.remove(self)
        continuation.resume()
    }

    /// Parks the calling task until the latch is open. At most one task, once.
    ///
    /// - Throws: the error given to `open(throwing:)`, or `CancellationError` when the task is cancelled first.
    @ReactorActor public final func waitUntilOpen() async throws {
        if begin() {
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
        if begin() { await withUnsafeContinuation(park) }
        if let error { throw error }
    }

    // MARK: The steps of a wait, for who parks by other means

    /// Claims the one wait. Whether there is something to wait for.
    @ReactorActor package final func begin() -> Bool {
        precondition(!isWaitedFor, "a wait is begun twice")
        isWaitedFor = true
        return state == .pending
    }

    /// Keeps the continuation of the parked task until the latch opens.
    package final func park(_ continuation: UnsafeContinuation<Void, Never>) {
        // A task that was cancelled before has its outcome already.
        guard state == .pending else { return continuation.resume() }
        self.continuation = continuation
        task = clinux_current_task()
        parkedSince = reactor.turnTime
        reactor.parkedTasks.add(self)
    }

    /// Throws what the wait ended with, if that was an error.
    @ReactorActor package final func checkOutcome() throws {
        if let error { throw error }
    }

    private final func cancelFromAnyThread() {
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { _ = open(throwing: CancellationError()) }
        } else {
            reactor.callFromThread { self.open(throwing: CancellationError()) }
        }
    }
}
