import Glibc
package import ReactorCore

/// The greenlets of one reactor that have not ended, and the stacks of those that have.
@ReactorActor
package final class GreenletRegistry {
    /// Unsafe: it holds the registry, and whoever uses a registry is its code.
    unowned(unsafe) let reactor: Reactor
    let stacks = StackCache()
    /// Drivers that wait for a greenlet to run, who rests shortest last.
    @exclusivity(unchecked) var restingDrivers: [FiberDriver] = []
    /// Runners that wait for a request, who rests shortest last.
    @exclusivity(unchecked) var restingRunners: [RequestRunner] = []
    /// Whether fibers run without steps of their tasks, where that can be; for tests.
    @exclusivity(unchecked) var setsCurrentTask = true
    /// The values of `GreenletLocal` for code outside greenlets.
    @exclusivity(unchecked) var localsOutside: GreenletLocalValues?
    private static let restingDriverLimit = 256
    @exclusivity(unchecked) private var lastID = 0
    /// Whether greenlets know who spawned them.
    @exclusivity(unchecked) var tracksTree = true
    /// Who wants to hear of each greenlet that starts; nil while nobody does.
    @exclusivity(unchecked) var spawnObservers: SpawnObservers?
    /// The reactor's own pool, made on first use.
    var pool: GreenletPool?
    /// Whether any greenlet has ever used the values of its tree.
    @exclusivity(unchecked) var hasTreeLocals = false
    /// A list through the greenlets themselves, oldest first: being in it costs no allocation. Unsafe: a greenlet leaves
    /// it as it ends, and its task holds it until then.
    @exclusivity(unchecked) private unowned(unsafe) var first: AnyGreenlet?
    @exclusivity(unchecked) private unowned(unsafe) var last: AnyGreenlet?

    private init(of reactor: Reactor) { self.reactor = reactor }

    /// The registry of a reactor.
    package static func of(_ reactor: Reactor) -> GreenletRegistry {
        // Stored by makeRegistry(for:), and nothing else is.
        if let registry = reactor.greenletRegistry {
            return unsafeDowncast(registry, to: GreenletRegistry.self)
        }
        return makeRegistry(for: reactor)
    }

    private static func makeRegistry(for reactor: Reactor) -> GreenletRegistry {
        // Every greenlet asks for the registry before it binds itself.
        TaskLocals.ignore(AnyGreenlet.$current)
        let registry = GreenletRegistry(of: reactor)
        registry.tracksTree = reactor.configuration.tracksGreenletTree
        reactor.greenletRegistry = registry
        reactor.fiberResumer = registry
        // The reactor holds it. A resting task would hold the reactor for ever.
        reactor.onLeave = { [unowned registry] in registry.endRestingTasks() }
        return registry
    }

    var canRestAnotherDriver: Bool { restingDrivers.count < Self.restingDriverLimit }

    var canRestAnotherRunner: Bool { restingRunners.count < Self.restingDriverLimit }

    private func endRestingTasks() {
        while let driver = restingDrivers.popLast() { driver.end() }
        while let runner = restingRunners.popLast() { runner.end() }
    }

    func nextID() -> Int {
        lastID += 1
        return lastID
    }

    func add(_ greenlet: AnyGreenlet) {
        greenlet.previousLive = last
        if let last { last.nextLive = greenlet } else { first = greenlet }
        last = greenlet
    }

    func remove(_ greenlet: AnyGreenlet) {
        if let previous = greenlet.previousLive {
            previous.nextLive = greenlet.nextLive
        } else {
            first = greenlet.nextLive
        }
        if let next = greenlet.nextLive {
            next.previousLive = greenlet.previousLive
        } else {
            last = greenlet.previousLive
        }
        greenlet.previousLive = nil
        greenlet.nextLive = nil
    }

    /// Greenlets that have been spawned and have not ended, oldest first.
    package var greenlets: [AnyGreenlet] {
        var all: [AnyGreenlet] = []
        var next = first
        while let greenlet = next {
            all.append(greenlet)
            next = greenlet.nextLive
        }
        return all
    }
}

extension GreenletRegistry: FiberResumer {
    /// Goes on with the fiber of the driver at `owner`.
    package func resumeFiber(of owner: UnsafeMutableRawPointer) {
        // A driver whose fiber is queued is held by its task. No closure for the standard library to call: it would check
        // each time where it is called.
        Unmanaged<FiberDriver>.fromOpaque(owner).takeUnretainedValue().resumeFiber()
    }
}
