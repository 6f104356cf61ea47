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
    // Its place in the line it stands in, and among all that are parked. A stored property of a class stays where it is, so
    // others may point at it; the latch takes it out before it goes. The first two, so that a latch is found by them.
    @exclusivity(unchecked) private var place = clinux_link()
    @exclusivity(unchecked) private var parked = clinux_link()

    private enum State {
        /// Closed; nobody is parked.
        case pending
        /// Closed, and a task is parked.
        case parked(UnsafeContinuation<Void, Never>)
        /// Closed, and a fiber is parked, which its driver holds.
        case parkedFiber(UnsafeMutablePointer<clinux_resumable>)
        case open
        case failed(any Error)
    }

    // What follows is ordered to leave no gaps: a hundred thousand latches may be parked.
    @exclusivity(unchecked) private var state = State.pending
    @exclusivity(unchecked) private var isWaitedFor = false
    private let reasonKind: WaitReason.Kind
    private let reasonNumber: Int32
    /// Unsafe: whoever waits holds what it waits for.
    private unowned(unsafe) let reasonObject: (any AnyObject & Sendable)?
    package let reactor: Reactor
    /// Since when a task is parked; see `ParkedTasks`.
    @exclusivity(unchecked) package private(set) var parkedSince: Int64 = 0

    /// A latch for a task on `reactor`.
    public init(on reactor: Reactor, for reason: WaitReason = .unspecified) {
        self.reactor = reactor
        (reasonKind, reasonNumber, reasonObject) = (reason.kind, reason.number, reason.object)
    }

    deinit {
        // Dropped before its event came, without or with a wait that nobody will end: by reactor code, or by the last
        // owner of a reactor that is gone.
        clinux_link_remove(&place)
        clinux_link_remove(&parked)
    }

    /// What the wait is for, as reports show it.
    package final var reason: WaitReason {
        WaitReason(reasonKind, number: reasonNumber, object: reasonObject)
    }

    /// The task that is parked, by address.
    package final var task: UnsafeMutableRawPointer? {
        switch state {
        // A task's continuation is the task: the address of the same object of the runtime.
        case .parked(let task): unsafeBitCast(task, to: UnsafeMutableRawPointer.self)
        case .parkedFiber(let fiber): fiber.pointee.task
        case .pending, .open, .failed: nil
        }
    }

    // MARK: Lists of latches

    /// Calls `body` with the latch's place in a line.
    final func withPlace(_ body: (UnsafeMutablePointer<clinux_link>) -> Void) { body(&place) }

    /// Whether it stands in a line.
    final var isInLine: Bool { clinux_link_is_linked(&place) != 0 }

    /// The latch whose place in a line this is. A latch in a list is alive.
    static func at(place: UnsafeMutablePointer<clinux_link>) -> Latch {
        Unmanaged<Latch>.fromOpaque(UnsafeRawPointer(place) - objectHeaderSize).takeUnretainedValue()
    }

    /// The latch whose place among the parked this is.
    static func at(parked: UnsafeMutablePointer<clinux_link>) -> Latch { at(place: parked - 1) }

    /// What precedes an object's first stored property: a pointer to its type, and the count of references.
    private static let objectHeaderSize = 2 * MemoryLayout<UInt>.size

    /// Whether it is still closed.
    @ReactorActor public final var isPending: Bool { isClosed }

    private final var isClosed: Bool {
        switch state {
        case .pending, .parked, .parkedFiber: true
        case .open, .failed: false
        }
    }

    /// Ends the wait. Does nothing when it has ended already; returns whether it had not.
    @discardableResult
    @ReactorActor public final func open() -> Bool { end(.open) }

    /// Ends the wait with an error. Does nothing when it has ended already; returns whether it had not.
    @discardableResult
    @ReactorActor public final func open(throwing error: any Error) -> Bool { end(.failed(error)) }

    @inline(__always) private final func end(_ outcome: State) -> Bool {
        guard isClosed else { return false }
        let before = state
        state = outcome
        clinux_link_remove(&place)
        switch before {
        case .parked(let task):
            clinux_link_remove(&parked)
            task.resume()
        case .parkedFiber(let fiber):
            clinux_link_remove(&parked)
            reactor.enqueue(fiber)
        case .pending, .open, .failed: break
        }
        return true
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
        try checkOutcome()
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
        try checkOutcome()
    }

    // MARK: The steps of a wait, for who parks by other means

    /// Claims the one wait. Whether there is something to wait for.
    package final func begin() -> Bool {
        precondition(!isWaitedFor, "a wait is begun twice")
        isWaitedFor = true
        return isClosed
    }

    /// Keeps the continuation of the parked task until the latch opens.
    package final func park(_ continuation: UnsafeContinuation<Void, Never>) {
        // A task that was cancelled before has its outcome already.
        guard isClosed else { return continuation.resume() }
        state = .parked(continuation)
        noteParked()
    }

    /// Keeps a fiber, which is about to park, until the latch opens. It is still closed.
    package final func park(_ fiber: UnsafeMutablePointer<clinux_resumable>) {
        state = .parkedFiber(fiber)
        noteParked()
    }

    private final func noteParked() {
        parkedSince = reactor.turnTime
        clinux_link_insert(&parked, reactor.parkedTasks + (reasonKind.canEndFromOutside ? 0 : 1))
    }

    /// Throws what the wait ended with, if that was an error.
    package final func checkOutcome() throws {
        if case .failed(let error) = state { throw error }
    }

    private final func cancelFromAnyThread() {
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { _ = open(throwing: CancellationError()) }
        } else {
            reactor.callFromThread { self.open(throwing: CancellationError()) }
        }
    }
}
