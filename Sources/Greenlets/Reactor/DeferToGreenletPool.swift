public import ReactorCore

extension Reactor {
    /// Runs a synchronous body in a greenlet of `pool`, as soon as that has room; the Deferred fires with its outcome. Never
    /// waits. Reactor only.
    ///
    /// ```swift
    /// reactor.deferToGreenletPool(pool, fetch, url).addCallback { index($0) }
    /// ```
    /// Bodies begin in the order of the calls, and the Deferreds fire in the order in which bodies end. Cancelling the
    /// Deferred takes a body that waits for room out of the line, and kills one that runs; the Deferred fires when it has
    /// ended. geventreactor's `deferToGreenletPool`.
    @ReactorActor public func deferToGreenletPool<Value: Sendable>(
        _ pool: GreenletPool, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        if let greenlet = pool.trySpawn(body, file: file, line: line) {
            return waitForGreenlet(greenlet, file: file, line: line)
        }
        return Deferred(
            async: {
                try await pool.spawn(body, file: file, line: line).valueOrKill()
            }, on: self, file: file, line: line)
    }

    /// As the synchronous form, with an `async` body.
    @ReactorActor public func deferToGreenletPool<Value: Sendable>(
        _ pool: GreenletPool, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        if let greenlet = pool.trySpawn(body, file: file, line: line) {
            return waitForGreenlet(greenlet, file: file, line: line)
        }
        return Deferred(
            async: {
                try await pool.spawn(body, file: file, line: line).valueOrKill()
            }, on: self, file: file, line: line)
    }

    /// As the form with a closure, of a function and its arguments.
    @ReactorActor public func deferToGreenletPool<First: Sendable, each Rest: Sendable, Value: Sendable>(
        _ pool: GreenletPool, _ function: @escaping @ReactorActor (First, repeat each Rest) throws -> Value,
        _ first: First, _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferToGreenletPool(
            pool, { () throws -> Value in try function(first, repeat each rest) }, file: file, line: line)
    }

    /// As the synchronous form, of an `async` function and its arguments.
    @ReactorActor public func deferToGreenletPool<First: Sendable, each Rest: Sendable, Value: Sendable>(
        _ pool: GreenletPool,
        _ function: @escaping @ReactorActor (First, repeat each Rest) async throws -> Value,
        _ first: First, _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferToGreenletPool(
            pool, { () async throws -> Value in try await function(first, repeat each rest) }, file: file,
            line: line)
    }
}

/// Runs a synchronous body in a greenlet of `pool`; the Deferred fires on `reactor`. As `Reactor.deferToGreenletPool`.
@ReactorActor public func deferToGreenletPool<Value: Sendable>(
    _ reactor: Reactor, _ pool: GreenletPool, _ body: @escaping @ReactorActor () throws -> Value,
    file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    reactor.deferToGreenletPool(pool, body, file: file, line: line)
}

/// As the synchronous form, with an `async` body.
@ReactorActor public func deferToGreenletPool<Value: Sendable>(
    _ reactor: Reactor, _ pool: GreenletPool, _ body: @escaping @ReactorActor () async throws -> Value,
    file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    reactor.deferToGreenletPool(pool, body, file: file, line: line)
}

/// As the form with a closure, of a function and its arguments: `deferToGreenletPool(reactor, pool, add, 3, 4)`.
@ReactorActor public func deferToGreenletPool<First: Sendable, each Rest: Sendable, Value: Sendable>(
    _ reactor: Reactor, _ pool: GreenletPool,
    _ function: @escaping @ReactorActor (First, repeat each Rest) throws -> Value,
    _ first: First, _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    reactor.deferToGreenletPool(
        pool, { () throws -> Value in try function(first, repeat each rest) }, file: file, line: line)
}

/// As the synchronous form, of an `async` function and its arguments.
@ReactorActor public func deferToGreenletPool<First: Sendable, each Rest: Sendable, Value: Sendable>(
    _ reactor: Reactor, _ pool: GreenletPool,
    _ function: @escaping @ReactorActor (First, repeat each Rest) async throws -> Value,
    _ first: First, _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    reactor.deferToGreenletPool(
        pool, { () async throws -> Value in try await function(first, repeat each rest) }, file: file,
        line: line)
}

extension Greenlet {
    /// The value, for a task that nobody but this greenlet's work hangs on: cancelled, it kills the greenlet, and ends after it.
    fileprivate func valueOrKill() async throws -> Value {
        do { return try await get() } catch {
            guard !isReady else { throw error }
            cancel()
            await joinUncancellably()
            throw error
        }
    }
}
