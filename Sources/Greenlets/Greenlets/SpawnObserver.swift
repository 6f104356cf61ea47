public import ReactorCore

/// Somebody who hears of each greenlet that starts: what `Greenlet.addSpawnObserver` returns, to end it. Reactor only.
@ReactorActor
public final class SpawnObserver {
    let observe: @ReactorActor (AnyGreenlet) -> Void
    private let registry: GreenletRegistry

    init(_ registry: GreenletRegistry, _ observe: @escaping @ReactorActor (AnyGreenlet) -> Void) {
        self.registry = registry
        self.observe = observe
    }

    /// Hears of no more. Doing it again does nothing. gevent's `remove_spawn_callback`.
    public func cancel() { registry.remove(self) }
}

/// All of a reactor's; there is none while nobody observes.
@ReactorActor
final class SpawnObservers {
    var all: [SpawnObserver] = []

    func tell(of greenlet: AnyGreenlet) {
        // One may take itself out.
        let all = all
        for observer in all { observer.observe(greenlet) }
    }
}

extension GreenletRegistry {
    func add(_ observer: SpawnObserver) {
        if spawnObservers == nil { spawnObservers = SpawnObservers() }
        spawnObservers?.all.append(observer)
    }

    func remove(_ observer: SpawnObserver) {
        spawnObservers?.all.removeAll { $0 === observer }
        if spawnObservers?.all.isEmpty == true { spawnObservers = nil }
    }
}

extension Greenlet where Value == Never {
    /// Calls `observer` with every greenlet of the current reactor as it is spawned or started, before its body runs, until
    /// the observer is cancelled. gevent's `add_spawn_callback`.
    ///
    /// It must not wait; it may kill the greenlet, whose body then never runs.
    @ReactorActor @discardableResult
    public static func addSpawnObserver(
        _ observer: @escaping @ReactorActor (AnyGreenlet) -> Void
    ) -> SpawnObserver {
        let registry = GreenletRegistry.of(.current)
        let observer = SpawnObserver(registry, observer)
        registry.add(observer)
        return observer
    }
}
