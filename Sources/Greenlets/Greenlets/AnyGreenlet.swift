import CLinux
public import ReactorCore

/// A greenlet without the type of its value: what `Greenlet.current` and the registry know.
///
/// Reactor only.
@ReactorActor
public class AnyGreenlet {
    /// Small number, unique in its reactor.
    public nonisolated let id: Int
    /// The name given at spawn, or `greenlet-ID`.
    public nonisolated var name: String { givenName ?? "greenlet-\(id)" }
    /// The greenlet that spawned this one, or made it to be started later; nil for none, and where trees are not tracked.
    public nonisolated var parentID: Int? { parentNumber == 0 ? nil : parentNumber }
    /// Where it was spawned: `Module/File.swift:12`.
    public nonisolated var spawnLocation: String { site.description }

    nonisolated let givenName: String?
    private nonisolated let parentNumber: Int
    /// The ID of its first known ancestor, which its whole tree has in common.
    nonisolated let treeID: Int
    nonisolated let site: CallSite
    let reactor: Reactor
    let registry: GreenletRegistry
    /// Neighbours in the registry's list. Unsafe: both are in the list, so alive.
    @exclusivity(unchecked) unowned(unsafe) var previousLive: AnyGreenlet?
    @exclusivity(unchecked) unowned(unsafe) var nextLive: AnyGreenlet?

    /// Set by the first kill; the error the greenlet will end with. Unchecked, as the next: accesses are straight-line,
    /// and a check on each took a tenth of a spawn.
    @exclusivity(unchecked) var killError: (any Error)?
    /// What its body runs on, from begin to end, if that is synchronous.
    final var fiber: Fiber? { isStarted ? driver?.fiber : nil }
    /// What runs it on a fiber, from spawn to end.
    @exclusivity(unchecked) var driver: FiberDriver?
    /// What runs an `async` body, from spawn to end.
    @exclusivity(unchecked) var task: Task<Void, Never>?
    /// Who was the first to call `join`, and is nearly always the only one.
    @exclusivity(unchecked) var joiner: Latch?
    /// Who came after.
    @exclusivity(unchecked) var joiners: ParkingLine?
    /// What few greenlets have; nil for the others.
    @exclusivity(unchecked) var extras: GreenletExtras?
    /// What it ended with, unless that was a value.
    @exclusivity(unchecked) @usableFromInline var failure: (any Error)?

    /// Whether the body has begun.
    @exclusivity(unchecked) public private(set) var isStarted = false
    /// Whether the greenlet has ended, by return, error or kill.
    @exclusivity(unchecked) public private(set) var isReady = false

    /// Whether it has ended and not by an error of its own; being killed by `GreenletExit` is no error.
    public final var isSuccessful: Bool {
        isReady && (failure == nil || failure is GreenletExit)
    }

    @usableFromInline init(name: String?, _ site: CallSite) {
        reactor = .current
        registry = GreenletRegistry.of(reactor)
        id = registry.nextID()
        givenName = name
        self.site = site
        if registry.tracksTree, let parent = Self.current {
            parentNumber = parent.id
            treeID = parent.treeID
            if let tree = parent.extras?.tree { extras = GreenletExtras(tree) }
        } else {
            parentNumber = 0
            treeID = id
        }
    }

    /// The greenlet that runs the calling code, or nil outside any. Child tasks (`async let`, groups) see
    /// their parent's, and so do tasks started from it.
    @TaskLocal public static var current: AnyGreenlet?

    // What the runtime calls `current` and its type by: their addresses, which stay.
    private static let currentKey = UnsafeRawPointer(
        Unmanaged.passUnretained($current).toOpaque())
    private static let currentType = unsafeBitCast(
        AnyGreenlet?.self as Any.Type, to: UnsafeRawPointer.self)

    /// Makes this the current greenlet of the current task, until `unbindCurrent()`; see `clinux_bind_task_local`.
    final func bindCurrent() {
        // An optional reference is a pointer. The task takes it over, reference count and all.
        var value = UnsafeMutableRawPointer?(Unmanaged.passRetained(self).toOpaque())
        clinux_bind_task_local(Self.currentKey, &value, Self.currentType)
    }

    /// Takes it back.
    static func unbindCurrent() { clinux_unbind_task_local() }

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
        if let observers = registry.spawnObservers { observers.tell(of: self) }
    }

    /// Starts the greenlet on a fiber, once; `body` leaves its outcome here.
    @usableFromInline func launchOnFiber(_ body: @escaping @ReactorActor () -> Void) {
        registry.add(self)
        FiberDriver.start(self, body)
        if let observers = registry.spawnObservers { observers.tell(of: self) }
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
        if let driver { return driver.fiber.driver.map { UInt(bitPattern: $0) } }
        // The handle of a task is a reference to it.
        return task.map { unsafeBitCast($0, to: UInt.self) }
    }

    /// Whose code it is, for the monitor.
    final var label: TaskLabel { TaskLabel(id: id, name: name, spawnSite: site) }

    /// Called as the task begins. Whether the body may: not when the greenlet was killed before.
    @usableFromInline func begin() -> Bool {
        if isReady { return false }
        isStarted = true
        if !reactor.observation.isEmpty {
            reactor.observeBegin(label)
        }
        return true
    }

    /// Called as the last step of the task, with what the body threw.
    @usableFromInline func end(throwing error: (any Error)?) {
        failure = error
        if let error, let killError, DeferredError.isCancellation(error) { failure = killError }
        task = nil
        registry.remove(self)
        if !reactor.observation.isEmpty { reactor.observeEnd() }
        announceEnd()
    }

    /// Ends a greenlet whose body has not begun, and now never will.
    func endUnbegun(throwing error: any Error) {
        let isListed = task != nil || driver != nil
        failure = error
        task = nil
        extras?.giveUpStart()
        if isListed { registry.remove(self) }
        announceEnd()
    }

    private func announceEnd() {
        isReady = true
        if let extras, !extras.attachments.isEmpty { detach() }
        var isHeard = joiner.take()?.open() ?? false
        if let joiners {
            self.joiners = nil
            if joiners.openAll() > 0 { isHeard = true }
        }
        if let extras, extras.tellOfEnd() { isHeard = true }
        if let failure, !isHeard { reportUnheard(failure) }
    }

    private func reportUnheard(_ error: any Error) {
        if error is GreenletExit || error is CancellationError { return }
        reactor.onUncaughtError(
            error, "greenlet \"\(name)\" spawned at \(spawnLocation), failed at \(WallClock.now)")
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
