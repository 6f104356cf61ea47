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

    nonisolated var givenName: String? { origin.name }
    nonisolated var site: CallSite { origin.site }

    // What every greenlet carries, in an order that leaves no gaps: there may be a hundred thousand. Unchecked: accesses are
    // straight-line, and a check on each took a tenth of a spawn.

    private nonisolated let parentNumber: Int
    /// The ID of its first known ancestor, which its whole tree has in common.
    nonisolated let treeID: Int
    let reactor: Reactor
    /// Neighbours in the registry's list. Unsafe: both are in the list, so alive.
    @exclusivity(unchecked) unowned(unsafe) var previousLive: AnyGreenlet?
    @exclusivity(unchecked) unowned(unsafe) var nextLive: AnyGreenlet?
    @exclusivity(unchecked) final var audience = GreenletAudience.nobody
    @exclusivity(unchecked) final var stage = GreenletStage.idle
    private nonisolated let origin: GreenletOrigin
    /// Whether the body has begun.
    @exclusivity(unchecked) public private(set) var isStarted = false
    @exclusivity(unchecked) private var hasEnded = false

    /// Whether the greenlet has ended, by return, error or kill.
    public var isReady: Bool { hasEnded }

    /// What it ended with, unless that was a value.
    @usableFromInline final var failure: (any Error)? {
        guard case .failed(let error) = stage else { return nil }
        return error
    }

    /// What the first kill was given; the error the greenlet will end with.
    final var killError: (any Error)? { extras?.killError }

    final var registry: GreenletRegistry { .of(reactor) }

    /// What runs it on a fiber, from spawn to end.
    final var driver: FiberDriver? {
        guard case .onFiber(let driver) = stage else { return nil }
        return driver
    }

    /// What its body runs on, from begin to end, if that is synchronous.
    final var fiber: Fiber? { isStarted ? driver?.fiber : nil }

    /// Whether it has ended and not by an error of its own; being killed by `GreenletExit` is no error.
    public final var isSuccessful: Bool {
        isReady && (failure == nil || failure is GreenletExit)
    }

    @usableFromInline init(name: String?, _ site: CallSite) {
        reactor = .current
        let registry = GreenletRegistry.of(reactor)
        id = registry.nextID()
        origin = GreenletOrigin(name, site)
        if registry.tracksTree, let parent = Self.current {
            parentNumber = parent.id
            treeID = parent.treeID
            if let tree = parent.extras?.tree { audience = .extras(GreenletExtras(tree)) }
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

    /// The task that runs the body, by the address that the Swift runtime knows it by; nil before and after.
    package var taskAddress: UInt? {
        switch stage {
        case .onFiber(let driver): driver.fiber.driver.map { UInt(bitPattern: $0) }
        // The handle of a task is a reference to it.
        case .running(let task): unsafeBitCast(task, to: UInt.self)
        case .idle, .spawned, .failed: nil
        }
    }

    /// Whose code it is, for the monitor.
    final var label: TaskLabel { TaskLabel(id: id, name: name, spawnSite: site) }

    final func noteBegin() {
        isStarted = true
        if reactor.isObserved { reactor.observeBegin(label) }
    }

    /// Called as the last step of the task, with what the body threw.
    @usableFromInline final func end(throwing error: (any Error)?) { end(throwing: error, in: registry) }

    final func end(throwing error: (any Error)?, in registry: GreenletRegistry) {
        if let error {
            stage = .failed(DeferredError.isCancellation(error) ? killError ?? error : error)
        } else {
            stage = .idle
        }
        registry.remove(self)
        if reactor.isObserved { reactor.observeEnd() }
        announceEnd()
    }

    /// Ends a greenlet whose body has not begun, and now never will.
    final func endUnbegun(throwing error: any Error) {
        if case .idle = stage { extras?.giveUpStart() } else { registry.remove(self) }
        stage = .failed(error)
        announceEnd()
    }

    private func announceEnd() {
        hasEnded = true
        let isHeard = tellOfEnd()
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
