import CFibers
import CLinux
import Glibc
package import ReactorCore

/// Synchronous code on a stack of its own, driven by a Swift task.
///
/// When the code must wait it leaves what it waits for and switches back to its driver; the driver, an ordinary `async`
/// function, waits and switches in again. Task-local values, `Task.isCancelled` and the runtime's exclusivity records are
/// the driver task's, so inside the fiber they work as in any task. A fiber never leaves its reactor's thread.
///
/// Fiber and driver are made once and run one greenlet after the other; see `FiberDriver`.
@ReactorActor
package final class Fiber {
    let stack: UnsafeMutablePointer<cf_fiber>
    @exclusivity(unchecked) private var body: (@ReactorActor () -> Void)?
    /// Whose code it runs.
    @exclusivity(unchecked) package private(set) var greenlet: AnyGreenlet?

    // What the driver has to wait for when the fiber has parked: one of the three.
    @exclusivity(unchecked) private var awaited: Latch?
    @exclusivity(unchecked) private var isYielding = false
    @exclusivity(unchecked) private var request: (@ReactorActor () async -> Void)?
    /// The task of a request that can be interrupted.
    @exclusivity(unchecked) private var requestTask: Task<Void, Never>?
    /// Its address: the wait of such a request is the fiber's.
    var requestTaskAddress: UInt? {
        // The handle of a task is a reference to it.
        requestTask.map { unsafeBitCast($0, to: UInt.self) }
    }
    /// The driver's task, by address.
    @exclusivity(unchecked) private(set) var driver: UnsafeMutableRawPointer?

    /// Once set, every wait of this fiber ends with this error at once: a kill cannot unwind C frames, so it
    /// stays until the fiber has returned through them.
    @exclusivity(unchecked) package private(set) var killError: (any Error)?
    /// The time-outs and scopes that the code is inside of, outermost first.
    @exclusivity(unchecked) private var limits: [any Limit] = []
    /// Inside a shield: how many of them are outside it. They do not count, and kills do not.
    @exclusivity(unchecked) private var shield: Int?

    /// How often the code has parked: a greenlet's switches.
    @exclusivity(unchecked) package private(set) var parkCount = 0

    init(stack: UnsafeMutablePointer<cf_fiber>) {
        self.stack = stack
        // Read back by `current`, while the driver holds the fiber.
        stack.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
        // Where a fault at the end of this stack is handled.
        _ = clinux_ensure_signal_stack()
        _ = cf_report_overflows()
    }

    // MARK: The driver's side

    /// What the driver has to wait for, to resume the fiber then.
    enum Wait {
        case latch(Latch)
        /// Everything that is ready to have run once.
        case turn
        /// `makeRequest()`.
        case request
    }

    /// Makes the fiber ready to run `body`, in which `greenlet` is the current one. The calling task is the driver.
    func prepare(_ greenlet: AnyGreenlet, _ body: @escaping @ReactorActor () -> Void) {
        self.body = body
        greenlet.fiber = self
        self.greenlet = greenlet
        driver = clinux_current_task()
        parkCount = 0
        greenlet.label(stack)
        cf_fiber_prepare(
            stack,
            { argument in
                // The driver's frame holds the fiber until it has finished.
                let fiber = Unmanaged<Fiber>.fromOpaque(argument!).takeUnretainedValue()
                ReactorActor.assumeIsolated { fiber.runBody() }
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Runs the fiber until it parks or ends; what it waits for, or nil at the end.
    func resume() -> Wait? {
        guard cf_fiber_resume(stack) == 0 else { return nil }
        parkCount &+= 1
        if let awaited { return .latch(awaited) }
        if isYielding {
            isYielding = false
            return .turn
        }
        return .request
    }

    /// Forgets the greenlet that has ended.
    func finish(_ greenlet: AnyGreenlet) {
        driver = nil
        killError = nil
        greenlet.fiber = nil
        self.greenlet = nil
    }

    /// Runs what the fiber asked for.
    func makeRequest() async {
        // A fiber parks only in wait(for:), yield() and park(while:), which set one of the three.
        let request = self.request!
        self.request = nil
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

    private func runBody() {
        let body = self.body!  // set by prepare(_:_:) before the first switch
        self.body = nil
        // In here, so that tasks made by the body inherit it.
        AnyGreenlet.$current.withValue(greenlet, operation: body)
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
    package func wait(for latch: Latch) throws {
        if let interruption {
            latch.open(throwing: interruption)
            throw interruption
        }
        guard clinux_current_task() == driver else {
            latch.open(throwing: Self.foreignTask)
            throw Self.foreignTask
        }
        if latch.begin() {
            awaited = latch
            cf_fiber_park()
            awaited = nil
        }
        try latch.checkOutcome()
    }

    /// Lets everything that is ready run once. Throws as `wait(for:)`, after the others have run, too.
    func yield() throws {
        if let interruption { throw interruption }
        guard clinux_current_task() == driver else { throw Self.foreignTask }
        isYielding = true
        cf_fiber_park()
        if let interruption { throw interruption }
    }

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
