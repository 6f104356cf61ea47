import ReactorCore

extension Greenlet {
    /// A greenlet with a synchronous body that nobody has started: `start()` does. Never waits.
    ///
    /// Killed before, it ends without its body having run. Its spawn site, its parent and its share of the tree's values are
    /// those of this call; its task-local values those of `start()`.
    public convenience init(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        self.init(name: name, CallSite(file, line))
        keep { $0.run(body) }
    }

    /// As the synchronous form, with an `async` body.
    public convenience init(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        self.init(name: name, CallSite(file, line))
        keep { $0.run(body) }
    }

    private func keep(_ launch: @escaping @ReactorActor (Greenlet) -> Void) {
        // It is called with this greenlet; to capture it would keep it alive for ever if nobody starts it.
        madeExtras.keepLaunch { launch(unsafeDowncast($0, to: Greenlet.self)) }
    }

    /// Spawns a greenlet that starts `delay` from now; gevent's `spawn_later`. Never waits.
    ///
    /// - Precondition: `delay` is not negative.
    public static func spawn(
        after delay: Duration, name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet {
        let greenlet = Greenlet(name: name, body, file: file, line: line)
        greenlet.start(after: delay, file: file, line: line)
        return greenlet
    }

    /// As the synchronous form, with an `async` body.
    public static func spawn(
        after delay: Duration, name: String? = nil,
        _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet {
        let greenlet = Greenlet(name: name, body, file: file, line: line)
        greenlet.start(after: delay, file: file, line: line)
        return greenlet
    }
}

extension Greenlet where Value == Void {
    /// Spawns a greenlet that nobody can join, link to or kill; gevent's `spawn_raw`. Never waits.
    ///
    /// What it throws goes to `reactor.onUncaughtError`.
    @inlinable public static func spawnDetached(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        _ = spawn(name: name, body, file: file, line: line)
    }

    /// As the synchronous form, with an `async` body.
    @inlinable public static func spawnDetached(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        _ = spawn(name: name, body, file: file, line: line)
    }
}
