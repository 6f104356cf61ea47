public import ReactorCore

/// A greenlet without the type of its value: what `Greenlet.current` and the registry know.
///
/// Reactor only.
@ReactorActor
public class AnyGreenlet {
    /// Small number, unique in its reactor while the greenlet lives.
    public nonisolated let id: Int
    /// The name given at spawn, or `greenlet-ID`.
    public nonisolated var name: String { givenName ?? "greenlet-\(id)" }
    /// The greenlet that spawned this one.
    public nonisolated let parentID: Int?
    /// Where it was spawned: `Module/File.swift:12`.
    public nonisolated var spawnLocation: String { site.description }

    private nonisolated let givenName: String?
    private nonisolated let site: CallSite
    let reactor: Reactor
    let registry: GreenletRegistry
    /// Neighbours in the registry's list. Unsafe: both are in the list, so alive.
    @exclusivity(unchecked) unowned(unsafe) var previousLive: AnyGreenlet?
    @exclusivity(unchecked) unowned(unsafe) var nextLive: AnyGreenlet?

    /// Set by the first kill; the error the greenlet will end with. Unchecked, as the next: accesses are straight-line,
    /// and a check on each took a tenth of a spawn.
    @exclusivity(unchecked) private(set) var killError: (any Error)?
    @exclusivity(unchecked) var fiber: Fiber?
    /// What runs it on a fiber, from spawn to end.
    @exclusivity(unchecked) var driver: FiberDriver?
    @exclusivity(unchecked) private var task: Task<Void, Never>?
    @exclusivity(unchecked) private var completionWaiters: ParkingLine?
    /// Called as the greenlet ends.
    @exclusivity(unchecked) var observers: [@ReactorActor () -> Void] = []
    /// What it ended with, unless that was a value.
    @exclusivity(unchecked) @usableFromInline var failure: (any Error)?

    /// Whether the body has begun.
    @exclusivity(unchecked) public private(set) var isStarted = false
    /// Whether the greenlet has ended, by return, error or kill.
    @exclusivity(unchecked) public private(set) var isReady = false

    @usableFromInline init(name: String?, _ site: CallSite) {
        reactor = .current
        registry = GreenletRegistry.of(reactor)
        id = registry.nextID()
        givenName = name
        parentID = Self.current?.id
        self.site = site
    }

    /// The greenlet that runs the calling code, or nil outside any. Child tasks (`async let`, groups) see
    /// their parent's, and so do tasks started from it.
    @TaskLocal public static var current: AnyGreenlet?

    /// Starts the task that runs `body`, once. Generic, though `Success` is Void, because `Task` is: a closure of another
    /// shape would cost an `async` function in between.
    @usableFromInline func launch<Success: Sendable>(
        _ body: @escaping @Sendable @ReactorActor () async -> Success
    ) {
        registry.add(self)
        // A new task inherits what is bound where it is made. To bind inside the task would cost more than the rest of
        // a spawn.
        let task = Self.$current.withValue(self) { Self.makeTask(on: reactor, body) }
        // A reference to the same task, for `cancel` alone.
        self.task = unsafeBitCast(task, to: Task<Void, Never>.self)
    }

    /// Starts the greenlet on a fiber, once; `body` leaves its outcome here.
    @usableFromInline func launchOnFiber(_ body: @escaping @ReactorActor () -> Void) {
        registry.add(self)
        FiberDriver.start(self, body)
    }

    /// Apart from the isolated code above, or the region checker does not understand it. The body holds the greenlet,
    /// and the greenlet the reactor.
    private nonisolated static func makeTask<Success: Sendable>(
        on reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () async -> Success
    ) -> Task<Success, Never> {
        Task(executorPreference: reactor, operation: body)
    }

    /// The task that runs the body, by the address that the Swift runtime knows it by; nil before and after.
    package var taskAddress: UInt? {
        if let driver { return driver.currentFiber?.driver.map { UInt(bitPattern: $0) } }
        // The handle of a task is a reference to it.
        return task.map { unsafeBitCast($0, to: UInt.self) }
    }

    /// Called as the task begins. The error with which a greenlet that was killed before has to end instead.
    @usableFromInline func begin() -> (any Error)? {
        if killError == nil { isStarted = true }
        return killError
    }

    /// Called as the last step of the task, with what the body threw.
    @usableFromInline func end(throwing error: (any Error)?) {
        failure = error
        if let error, let killError, DeferredError.isCancellation(error) { failure = killError }
        isReady = true
        task = nil
        registry.remove(self)
        var isHeard = false
        if let completionWaiters {
            self.completionWaiters = nil
            isHeard = completionWaiters.openAll() > 0
        }
        if !observers.isEmpty {
            isHeard = true
            let observers = observers
            self.observers = []
            for observer in observers { observer() }
        }
        if let failure, !isHeard { reportUnheard(failure) }
    }

    private func reportUnheard(_ error: any Error) {
        if error is GreenletExit || error is CancellationError { return }
        reactor.onUncaughtError(error, "greenlet \"\(name)\" spawned at \(spawnLocation)")
    }

    /// Asks the greenlet to end and returns at once; gevent's `kill(block=False)`. Never waits.
    ///
    /// Not begun: its body never runs. Parked: its wait ends now, with `error` in synchronous code and
    /// `CancellationError` in `async` code. Parked in a C library: the call it waits in fails with ECANCELED,
    /// as do all later ones, until the library has returned to Swift. Running: at its next wait. Ended:
    /// nothing happens. The first error given stays.
    public func cancel(throwing error: any Error = GreenletExit()) {
        guard !isReady, killError == nil else { return }
        killError = error
        if let driver {
            if isStarted { driver.kill(throwing: error) }
        } else {
            task?.cancel()
        }
    }

    /// `cancel`, then parks the calling task until the greenlet has ended; gevent's `kill()`.
    ///
    /// A greenlet that kills itself does not wait for its own end.
    /// - Throws: `CancellationError` when the calling task is cancelled meanwhile; the greenlet dies all the
    ///   same.
    public func kill(throwing error: any Error = GreenletExit()) async throws {
        cancel(throwing: error)
        guard Self.current !== self else { return }
        try await join()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func kill(throwing error: any Error = GreenletExit()) throws {
        try Greenlet.inFiber { _ in
            cancel(throwing: error)
            guard Self.current !== self else { return }
            try join()
        }
    }

    /// Parks the calling task until the greenlet has ended, however it ended, or `timeout` is over. True when
    /// it has ended.
    ///
    /// - Throws: `CancellationError` when the calling task is cancelled.
    @discardableResult
    public func join(timeout: Duration? = nil) async throws -> Bool {
        if isReady { return true }
        let latch = latchForEnd()
        guard let timeout else {
            try await latch.waitUntilOpen()
            return true
        }
        let timer = reactor.callInternallyLater(timeout) { latch.open() }
        defer { timer.cancelIfActive() }
        try await latch.waitUntilOpen()
        return isReady
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func join(timeout: Duration? = nil) throws -> Bool {
        try Greenlet.inFiber { fiber in
            if isReady { return true }
            let latch = latchForEnd()
            guard let timeout else {
                try fiber.wait(for: latch)
                return true
            }
            let timer = reactor.callInternallyLater(timeout) { latch.open() }
            defer { timer.cancelIfActive() }
            try fiber.wait(for: latch)
            return isReady
        }
    }

    /// A latch that opens as the greenlet ends.
    func latchForEnd() -> Latch {
        let latch = Latch(on: reactor, for: .subject(self))
        if completionWaiters == nil { completionWaiters = ParkingLine() }
        completionWaiters!.append(latch)  // set above
        return latch
    }
}

extension AnyGreenlet: WaitSubject {
    /// `the end of greenlet "name"`.
    public nonisolated var waitDescription: String { "the end of greenlet \"\(name)\"" }

    /// The greenlet's own task.
    public nonisolated var holders: [UInt] {
        // Called on the reactor, as the protocol says.
        ReactorActor.assumeIsolated { taskAddress.map { [$0] } ?? [] }
    }
}
