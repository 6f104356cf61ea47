extension Reactor {
    /// The cooperator that most tasks of the reactor share; made on first use. Reactor only.
    @ReactorActor public var cooperator: Cooperator {
        if let cooperator = cooperatorStorage { return cooperator }
        let cooperator = Cooperator(on: self)
        cooperatorStorage = cooperator
        return cooperator
    }

    /// Adds a task to the reactor's cooperator, and gives its end. As `Cooperator.coiterate`.
    @ReactorActor public func coiterate<Steps: Sequence>(
        _ steps: Steps, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Void> {
        cooperator.coiterate(steps, file: file, line: line)
    }

    /// Adds a task to the reactor's cooperator. As `Cooperator.cooperate`.
    @ReactorActor @discardableResult
    public func cooperate<Steps: Sequence>(
        _ steps: Steps, file: StaticString = #fileID, line: UInt = #line
    ) -> CooperativeTask {
        cooperator.cooperate(steps, file: file, line: line)
    }
}

/// Adds a task to the cooperator of this thread's reactor, and gives its end: Twisted's `coiterate`.
@ReactorActor public func coiterate<Steps: Sequence>(
    _ steps: Steps, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Void> {
    Reactor.current.coiterate(steps, file: file, line: line)
}

/// Adds a task to the cooperator of this thread's reactor: Twisted's `cooperate`.
@ReactorActor @discardableResult
public func cooperate<Steps: Sequence>(
    _ steps: Steps, file: StaticString = #fileID, line: UInt = #line
) -> CooperativeTask {
    Reactor.current.cooperate(steps, file: file, line: line)
}
