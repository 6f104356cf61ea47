package import CLinux

/// One parked task and the one event that resumes it: the piece under every wait of this package.
///
/// `waitUntilOpen()` parks until somebody calls `open` or the task is cancelled, whichever is first; later calls do
/// nothing. The event may come before the wait. Reactor only, but for cancellation, which may come from any
/// thread. `Waiter` is a latch that hands over a value; `ParkingLine` is a line of latches.
///
/// What the standard library calls back (`park`, the cancellation) is not isolated: an isolated function given to it is
/// checked each time it is called. Nor are the steps of a wait, which synchronous code takes. All else is.
public class Latch: @unchecked Sendable {  // reactor only; cancellation hops there
    private enum State: UInt8 { case pending, open, failed }

    @exclusivity(unchecked) private var state = State.pending
    @exclusivity(unchecked) private var isWaitedFor = false
    @exclusivity(unchecked) private var isFiber = false
    /// Who is parked: a task, by its continuation, or a fiber, which its driver holds.
    @exclusivity(unchecked) private var sleeper: UnsafeMutableRawPointer?
    @exclusivity(unchecked) private var error: (any Error)?
    package let reactor: Reactor

    /// What the wait is for, as reports show it.
    package let reason: WaitReason
    /// The task that is parked, by address, and since when; see `ParkedTasks`.
    package final var task: UnsafeMutableRawPointer? {
        // A task's continuation is the task: the address of the same object of the runtime.
        isFiber ? fiber?.pointee.task : sleeper
    }
    private final var fiber: UnsafeMutablePointer<clinux_resumable>? {
        sleeper?.assumingMemoryBound(to: clinux_resumable.self)  // it is one where `isFiber`
    }
    @exclusivity(unchecked) package private(set) var parkedSince: Int64 = 0
    /// Its place among all that are parked, and in the line it stands in. A stored property of a class stays where it is, so
    /// others may point at it; the latch takes it out before it goes.
    @exclusivity(unchecked) private var parked = clinux_link()
    @exclusivity(unchecked) private var place = clinux_link()

    /// A latch for a task on `reactor`.
    public init(on reactor: Reactor, for reason: WaitReason = .unspecified) {
        self.reactor = reactor
        self.reason = reason
    }

    deinit {
        // Dropped before its event came, without or with a wait that nobody will end: by reactor code, or by the last
        // owner of a reactor that is gone.
        clinux_link_remove(&place)
        clinux_link_remove(&parked)
    }

    /// Calls `body` with the latch's place in a line.
    final func withPlace(_ body: (UnsafeMutablePointer<clinux_link>) -> Void) {
        place.owner = Unmanaged.passUnretained(self).toOpaque()
        body(&place)
    }

    /// Whether it stands in a line.
    final var isInLine: Bool { clinux_link_is_linked(&place) != 0 }

    /// The latch behind this one in its line.
    final var nextInLine: Latch? { clinux_link_next(&place).map(Latch.at) }

    /// The latch behind this one among the parked.
    final var nextParked: Latch? { clinux_link_next(&parked).map(Latch.at) }

    /// The latch that a link says it is part of. A latch in a list is alive.
    static func at(_ owner: UnsafeMutableRawPointer) -> Latch {
        Unmanaged<Latch>.fromOpaque(owner).takeUnretainedValue()
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
        clinux_link_remove(&place)
        guard let sleeper else { return }
        clinux_link_remove(&parked)
        if isFiber, let fiber {
            self.sleeper = nil
            reactor.enqueue(fiber)
        } else {
            self.sleeper = nil
            // What park(_:) was given.
            unsafeBitCast(sleeper, to: UnsafeContinuation<Void, Never>.self).resume()
        }
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
    package final func begin() -> Bool {
        precondition(!isWaitedFor, "a wait is begun twice")
        isWaitedFor = true
        return state == .pending
    }

    /// Keeps the continuation of the parked task until the latch opens.
    package final func park(_ continuation: UnsafeContinuation<Void, Never>) {
        // A task that was cancelled before has its outcome already.
        guard state == .pending else { return continuation.resume() }
        sleeper = unsafeBitCast(continuation, to: UnsafeMutableRawPointer.self)  // one pointer
        noteParked()
    }

    /// Keeps a fiber, which is about to park, until the latch opens. It is still closed.
    package final func park(_ fiber: UnsafeMutablePointer<clinux_resumable>) {
        isFiber = true
        sleeper = UnsafeMutableRawPointer(fiber)
        noteParked()
    }

    private final func noteParked() {
        parkedSince = reactor.turnTime
        parked.owner = Unmanaged.passUnretained(self).toOpaque()  // read back while it is in the list
        clinux_link_insert(&parked, reactor.parkedTasks + (reason.canEndFromOutside ? 0 : 1))
    }

    /// Throws what the wait ended with, if that was an error.
    package final func checkOutcome() throws {
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
