extension Reactor {
    /// Calls `action` when `event` fires. Any thread; never waits.
    ///
    /// ```swift
    /// reactor.addSystemEventTrigger(.before, .shutdown) { try await server.stop(gracePeriod: .seconds(5)) }
    /// reactor.addSystemEventTrigger(.after, .shutdown) { print("bye") }
    /// ```
    /// An event has three phases. Within one the triggers are called in the order in which they were added,
    /// without waiting for each other; the next begins when every trigger of it is through, and an `async`
    /// one, or one that returns a Deferred, is through when that has ended. There is no time limit. An error
    /// goes to `onUncaughtError` with the place of this call, and the rest goes on.
    ///
    /// A trigger is called once: when the event fires again, or the reactor runs again, it is gone. Added
    /// while the event fires, it is called in this firing unless all triggers of its phase have been called.
    /// `isRunning` is false in the phase before startup, and true in all others of startup and shutdown.
    /// Follows Twisted's `addSystemEventTrigger`, which waits in the phase `before` only.
    /// - Returns: what `removeSystemEventTrigger` takes.
    @discardableResult
    public func addSystemEventTrigger(
        _ phase: SystemEventPhase, _ event: SystemEvent,
        _ action: @escaping @Sendable @ReactorActor () throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) -> SystemEventTrigger {
        let ticket = SystemEvents.Ticket()
        return add(phase, event, ticket, file, line) {
            try action()
            ticket.onEnd(nil)
        }
    }

    /// Calls `action` when `event` fires, and holds the next phase until the Deferred it returns has fired.
    /// As above; a failure of the Deferred counts as handled.
    @discardableResult
    public func addSystemEventTrigger<Value>(
        _ phase: SystemEventPhase, _ event: SystemEvent,
        _ action: @escaping @Sendable @ReactorActor () throws -> Deferred<Value>,
        file: StaticString = #fileID, line: UInt = #line
    ) -> SystemEventTrigger {
        let ticket = SystemEvents.Ticket()
        return add(phase, event, ticket, file, line) {
            try action().addBoth { result -> Void in
                if case .failure(let error) = result { ticket.onEnd(error) } else { ticket.onEnd(nil) }
            }
        }
    }

    /// Runs `action` as a task on the reactor when `event` fires, and holds the next phase until it has
    /// ended. As above.
    @discardableResult
    public func addSystemEventTrigger(
        _ phase: SystemEventPhase, _ event: SystemEvent,
        _ action: @escaping @Sendable @ReactorActor () async throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) -> SystemEventTrigger {
        let ticket = SystemEvents.Ticket()
        return add(phase, event, ticket, file, line) { [unowned self] in
            _ = startTask {
                do {
                    try await action()
                    ticket.onEnd(nil)
                } catch { ticket.onEnd(error) }
            }
        }
    }

    private func add(
        _ phase: SystemEventPhase, _ event: SystemEvent, _ ticket: SystemEvents.Ticket,
        _ file: StaticString, _ line: UInt, _ call: @escaping @Sendable @ReactorActor () throws -> Void
    ) -> SystemEventTrigger {
        adoptIfForked()
        return systemEvents.add(
            phase, event, site: CallSite(file, line), ticket: ticket, Self.preparingFromAnyThread(call))
    }

    /// Takes a trigger back; it will not be called. Any thread; never waits.
    ///
    /// - Returns: whether it was still there: false when it has been called or removed.
    @discardableResult
    public func removeSystemEventTrigger(_ trigger: SystemEventTrigger) -> Bool {
        adoptIfForked()
        return systemEvents.remove(trigger) != nil
    }

    /// Fires an event of the program's own: its `before` triggers are called now, the others as soon as
    /// nothing has to be waited for. Reactor only; never waits.
    ///
    /// An event that is being fired fires again when it is through.
    /// - Precondition: `event` is a custom one; `run()` and `stop()` fire the other two.
    @ReactorActor public func fireSystemEvent(_ event: SystemEvent) {
        precondition(
            event.isCustom, "fireSystemEvent(\(event)): run() fires startup, stop() fires shutdown")
        if let count = firingAgain[event] {
            firingAgain[event] = count + 1
            return
        }
        firingAgain[event] = 0
        fire(event) { [self] next in
            if next == nil, let count = firingAgain.removeValue(forKey: event), count > 0 {
                fireSystemEvent(event)
                firingAgain[event]? += count - 1
            }
            return true
        }
    }

    /// Fires an event; `mayEnter` is asked before each phase, and with nil at the end.
    @ReactorActor func fire(
        _ event: SystemEvent, mayEnter: @escaping @ReactorActor (SystemEventPhase?) -> Bool
    ) {
        SystemEventFiring(event, on: self, mayEnter: mayEnter).start()
    }
}
