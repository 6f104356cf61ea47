import CFibers
import CLinux
import Glibc
package import ReactorCore

/// Synchronous code on a stack of its own, driven by a Swift task.
///
/// When the code must wait for a latch it has itself queued as that opens, and switches back to whoever resumed it. For all
/// else it leaves a request to its driver, an `async` function. Task-local values and `Task.isCancelled` are the driver
/// task's, so inside the fiber they work as in any task. A fiber never leaves its reactor's thread.
///
/// Fiber and driver are made once and run one greenlet after the other; see `FiberDriver`.
@ReactorActor
package final class Fiber {
    // What is unsafe here is so for wait(for:), which is not isolated, and which only the fiber's own code calls.

    /// Nil before the first greenlet.
    @exclusivity(unchecked) var stack: UnsafeMutablePointer<cf_fiber>?
    /// What it is going to run.
    @exclusivity(unchecked) private var body: (@ReactorActor () -> (any Error)?)?
    /// What that has failed with.
    @exclusivity(unchecked) private var failure: (any Error)?
    /// Whose code that is.
    @exclusivity(unchecked) package private(set) var greenlet: AnyGreenlet?

    /// What the parked fiber waits for, if that is a latch. Unsafe: the fiber's own frame holds it.
    @exclusivity(unchecked) private nonisolated(unsafe) unowned(unsafe) var awaited: Latch?
    /// What the driver has to do for the parked fiber, else.
    @exclusivity(unchecked) private var request: (@ReactorActor () async -> Void)?
    /// The task of the request, where it can be interrupted.
    @exclusivity(unchecked) var requestTask: Task<Void, Never>?
    /// Its address: its waits are the fiber's.
    var requestTaskAddress: UInt? {
        // The handle of a task is a reference to it.
        requestTask.map { unsafeBitCast($0, to: UInt.self) }
    }
    /// The driver's task, by address.
    @exclusivity(unchecked) private(set) nonisolated(unsafe) var driver: UnsafeMutableRawPointer?
    /// What a loop resumes this fiber by; the driver's. Set while there is a driver.
    @exclusivity(unchecked) private nonisolated(unsafe) var resumable: UnsafeMutablePointer<clinux_resumable>?
    /// The thread it began on.
    @exclusivity(unchecked) private var thread: pthread_t?

    /// Once set, every wait of this fiber ends with this error at once: a kill cannot unwind C frames, so it
    /// stays until the fiber has returned through them.
    @exclusivity(unchecked) package private(set) nonisolated(unsafe) var killError: (any Error)?
    /// The time-outs and scopes that the code is inside of, outermost first.
    @exclusivity(unchecked) private nonisolated(unsafe) var limits: [any Limit] = []
    /// Inside a shield: how many of them are outside it. They do not count, and kills do not.
    @exclusivity(unchecked) private var shield: Int?

    /// How often the code has parked: a greenlet's switches.
    @exclusivity(unchecked) package private(set) var parkCount = 0

    /// Takes a stack, unless it has one.
    func ensureStack(from stacks: StackCache) throws(GreenletError) {
        guard self.stack == nil else { return }
        let stack = try stacks.take()
        self.stack = stack
        // Read back by `current`, while the driver holds the fiber.
        stack.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
        // Where a fault at the end of this stack is handled.
        _ = clinux_ensure_signal_stack()
        _ = cf_report_overflows()
    }

    // MARK: The driver's side

    /// How the fiber came back.
    enum Stop {
        /// Parked: it will be queued.
        case parked
        /// Parked until `makeRequest()` has returned.
        case request
        case end
    }

    /// Keeps what the fiber is to run next, once it is prepared: `body`, in which `greenlet` is the current one.
    func take(_ greenlet: AnyGreenlet, _ body: @escaping @ReactorActor () -> (any Error)?) {
        self.greenlet = greenlet
        self.body = body
        parkCount = 0
    }

    /// Whether the body has not begun.
    var isFresh: Bool { body != nil }

    /// Makes the fiber ready to run.
    func prepare(by resumable: UnsafeMutablePointer<clinux_resumable>) {
        self.resumable = resumable
        driver = resumable.pointee.task
        thread = pthread_self()
        let stack = self.stack!  // ensured before
        greenlet!.label(stack)  // take(_:_:) was called before
        cf_fiber_prepare(stack, runFiber, Unmanaged.passUnretained(self).toOpaque())
        stack.pointee.task = driver  // `canPark`, for C code
    }

    /// Runs the fiber until it parks or ends. The calling code is in the driver's task.
    func resume() -> Stop {
        precondition(
            pthread_self() == thread,
            """
            a synchronous greenlet was parked when its reactor was stopped, and the reactor now runs on \
            another thread; run it on the same one, or let such greenlets end first
            """)
        clinux_resuming(resumable!)  // it was prepared
        let hasEnded = cf_fiber_resume(stack!) != 0  // as above
        clinux_resumer_is_back(resumable!)  // as above
        if hasEnded { return .end }
        parkCount &+= 1
        return request == nil ? .parked : .request
    }

    /// What the body that has ended has failed with.
    func takeFailure() -> (any Error)? { failure.take() }

    /// Forgets the greenlet that has ended.
    func finish() -> AnyGreenlet {
        driver = nil
        killError = nil
        body = nil
        return greenlet.take()!  // set by take(_:_:)
    }

    /// What the fiber has asked for.
    func takeRequest() -> @ReactorActor () async -> Void {
        let request = self.request!  // or resume() had not said so
        self.request = nil
        return request
    }

    /// Runs what the fiber asked for, in its own task.
    func makeRequest() async {
        let request = takeRequest()
        // A time-out must be able to end the request without ending the driver, and what ends the driver must not end a
        // shielded request.
        if limits.isEmpty, shield == nil { return await request() }
        let task = Self.startTask(on: .current, UncheckedBox(request))
        requestTask = task
        await task.value
        requestTask = nil
    }

    /// Apart from the isolated code above, or the region checker does not understand it. The request is run once, here.
    private nonisolated static func startTask(
        on reactor: Reactor, _ request: UncheckedBox<@ReactorActor () async -> Void>
    ) -> Task<Void, Never> {
        let body: @Sendable @ReactorActor () async -> Void = { await request.value() }
        return Task(executorPreference: reactor, operation: body)
    }

    fileprivate func runBody() {
        let body = self.body.take()!  // set by take(_:_:) before the first switch
        // In here, so that tasks made by the body inherit it.
        greenlet!.bindCurrent()  // as above
        failure = body()
        AnyGreenlet.unbindCurrent()
    }

    // MARK: The fiber's side

    /// The fiber whose code is running, or nil off fibers. Any thread.
    package nonisolated static var current: Fiber? {
        guard let owner = cf_fiber_current()?.pointee.owner else { return nil }
        // The driver holds the fiber while its code runs, and only its own thread finds it here.
        return Unmanaged<Fiber>.fromOpaque(owner).takeUnretainedValue()
    }

    /// Whether a fiber's code is running on this thread. Any thread.
    package nonisolated static var isRunning: Bool { cf_fiber_current() != nil }

    /// What the fiber's waits have to end with now, if anything: it was killed, or its time is over. The outermost cause
    /// wins, for it has the longest way to go.
    package var interruption: (any Error)? {
        if let shield { return limits.dropFirst(shield).first { $0.isOver }?.interruption }
        if let killError { return killError }
        return limits.isEmpty ? nil : limits.first { $0.isOver }?.interruption
    }

    /// Whether the calling code, on this fiber's stack, is in the driver's task, as all is but a callback with task-local
    /// values of its own.
    package var canPark: Bool { clinux_current_task() == driver }

    /// Parks this fiber until the latch opens. Must be called by the fiber's own code.
    ///
    /// - Throws: what the latch was opened with; `interruption`, before the wait or in its place; `GreenletError` with code
    ///   `notInGreenlet` in a callback that runs on this fiber's stack, but in a task of its own. The latch is closed then and
    ///   in no line any more.
    ///
    /// Not isolated, nor what it calls, for the way from the greenlet's code, which is not: a closure on it would cost as much
    /// as the wait.
    package nonisolated func wait(for latch: Latch) throws {
        if mayBeInterrupted || clinux_current_task() != driver {
            try ReactorActor.assumeIsolated { try checkMayWait(for: latch) }
        }
        if latch.begin() {
            awaited = latch
            latch.park(resumable!)  // it has a driver
            cf_fiber_park()
            awaited = nil
        }
        try latch.checkOutcome()
    }

    private func checkMayWait(for latch: Latch) throws {
        if let interruption {
            latch.open(throwing: interruption)
            throw interruption
        }
        guard canPark else {
            latch.open(throwing: Self.foreignTask)
            throw Self.foreignTask
        }
    }

    /// Lets everything that is ready run once. Throws as `wait(for:)`, after the others have run, too.
    nonisolated func yield() throws {
        if mayBeInterrupted || clinux_current_task() != driver {
            try ReactorActor.assumeIsolated {
                if let interruption { throw interruption }
                guard canPark else { throw Self.foreignTask }
            }
        }
        Reactor.enqueueHere(resumable!)  // it has a driver
        cf_fiber_park()
        if mayBeInterrupted {
            try ReactorActor.assumeIsolated { if let interruption { throw interruption } }
        }
    }

    private nonisolated var mayBeInterrupted: Bool { killError != nil || !limits.isEmpty }

    /// As `wait(for:)`, without regard to kills and time-outs: for waits whose end is certain and whose caller must see it.
    package func waitUncancellably(for latch: Latch) throws {
        try withShield { try wait(for: latch) }
    }

    /// Parks this fiber while its driver runs `operation`; returns its outcome. Must be called by the fiber's
    /// own code.
    ///
    /// - Throws: what `operation` throws; `interruption`, before `operation` begins, and in the place of the cancellation that
    ///   an interruption makes `operation` throw; `GreenletError` with code `notInGreenlet` as `wait(for:)`.
    package func await<Value>(_ operation: @ReactorActor () async throws -> Value) throws -> Value {
        var value: Value?
        try park { value = try await operation() }
        return value!  // it is set, or park(while:) has thrown
    }

    /// As `await`, of an operation that leaves its value elsewhere. Not generic, so that no type is looked up while a
    /// greenlet waits.
    func park(while operation: @ReactorActor () async throws -> Void) throws {
        if let interruption { throw interruption }
        // A callback that was added where task-local values were bound runs in a task that has them, which knows
        // nothing of the switch: the runtime would take it for the current one on the driver's side, too.
        guard clinux_current_task() == driver else { throw Self.foreignTask }
        var failure: (any Error)?
        withoutActuallyEscaping(operation) { operation in
            request = {
                do { try await operation() } catch { failure = error }
            }
            cf_fiber_park()
        }
        // The driver resumes only after the request has ended.
        guard let failure else { return }
        if let interruption, DeferredError.isCancellation(failure) { throw interruption }
        throw failure
    }

    private static var foreignTask: GreenletError {
        GreenletError(
            .notInGreenlet,
            """
            a Deferred's callback waited as synchronous code does, and it was added where task-local values were \
            bound: add an async callback, which may wait, or start a greenlet in it by deferToGreenlet { … }
            """)
    }

    // MARK: Interruption

    /// Makes every wait of the fiber end with `error` from now on, the current one too. The first error stays. The caller
    /// cancels the driver's task, for requests under way.
    func kill(throwing error: any Error) {
        guard killError == nil else { return }
        killError = error
        interrupt()
    }

    /// Ends the current wait, when there is one that may be ended.
    func interrupt() {
        guard let interruption else { return }
        awaited?.open(throwing: interruption)
        requestTask?.cancel()
    }

    /// Runs `body` inside a time-out or a scope.
    func within<Value>(_ limit: any Limit, _ body: () throws -> Value) rethrows -> Value {
        limits.append(limit)
        // Its own is the last: those inside have ended.
        defer { limits.removeLast() }
        return try body()
    }

    /// Runs `body` without regard to kills, and to time-outs around it. What came meanwhile counts again from then on.
    package func withShield<Value>(_ body: () throws -> Value) rethrows -> Value {
        let outer = shield
        shield = limits.count
        defer { shield = outer }
        return try body()
    }

    /// Bytes mapped for a stack as `ReactorConfiguration.stackSize` said first: address space, of which only
    /// touched pages cost memory.
    ///
    /// libpq with SCRAM and TLS needs 15 KiB; unoptimised Swift with string formatting several times as much.
    package nonisolated static let stackSize = ReactorConfiguration.current.stackSize
}

/// The bottom of every fiber's Swift code. A function, for a closure of the fiber's would check where it is called.
private func runFiber(_ fiber: UnsafeMutableRawPointer?) {
    // The driver holds the fiber until it has finished, and resumes it on the reactor.
    Unmanaged<Fiber>.fromOpaque(fiber!)._withUnsafeGuaranteedRef { fiber in
        ReactorActor.assumeIsolated { fiber.runBody() }
    }
}
