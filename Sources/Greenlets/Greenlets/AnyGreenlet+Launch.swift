import CLinux
import ReactorCore

extension AnyGreenlet {
    /// Keeps an `async` body until the task begins that `launch` starts.
    @usableFromInline final func keep(_ body: AnyGreenletBody) { stage = .spawned(body) }

    /// Starts the task that runs `main`, once. Generic, though `Success` is Void, because `Task` is: a closure of another
    /// shape would cost an `async` function in between. It never throws, and says it might, for the same reason.
    @usableFromInline final func launch<Success: Sendable>(
        _ main: @escaping @Sendable @ReactorActor () async throws -> Success
    ) {
        let registry = registry
        registry.add(self)
        // A new task inherits what is bound where it is made. To bind inside the task would cost more than the rest of
        // a spawn.
        Self.$current.withValue(self) { Self.startTask(on: reactor, main) }
        if let observers = registry.spawnObservers { observers.tell(of: self) }
    }

    /// Starts the greenlet on a fiber, once; `body` returns what it has failed with.
    @usableFromInline final func launchOnFiber(_ body: @escaping @ReactorActor () -> (any Error)?) {
        let registry = registry
        registry.add(self)
        FiberDriver.start(self, body, in: registry)
        if let observers = registry.spawnObservers { observers.tell(of: self) }
    }

    /// Apart from the isolated code above, or the region checker does not understand it.
    private nonisolated static func startTask<Success: Sendable>(
        on reactor: Reactor, _ main: @escaping @Sendable @ReactorActor () async throws -> Success
    ) {
        _ = Task(executorPreference: reactor, operation: main)
    }

    /// Called as the task begins. The body; nil when the greenlet was killed before.
    @usableFromInline final func begin() -> AnyGreenletBody? {
        guard case .spawned(let body) = stage else { return nil }
        // The handle of a task is a reference to it; this one is for `cancel` alone.
        stage = .running(unsafeBitCast(clinux_current_task(), to: Task<Void, Never>.self))
        noteBegin()
        return body
    }

    /// Called as the fiber begins. Whether the body may: not when the greenlet was killed before.
    final func beginOnFiber() -> Bool {
        if isReady { return false }
        noteBegin()
        return true
    }
}
