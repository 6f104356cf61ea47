import ReactorCore

extension GreenletPool {
    /// Runs `body` in a greenlet of the pool and parks the calling task until it has ended; returns its value.
    ///
    /// Called by a member of the pool it runs `body` in that member's slot: a pool that is full of greenlets that call
    /// `apply` does not wait for itself.
    /// - Throws: what `body` throws; `CancellationError` when the calling task is cancelled, and the greenlet is
    ///   killed.
    public func apply<Value: Sendable>(
        _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) async throws -> Value {
        if group.containsCaller { return try await body() }
        return try await value(of: spawn(body, file: file, line: line))
    }

    /// As with an `async` body.
    public func apply<Value: Sendable>(
        _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) async throws -> Value {
        // A synchronous body needs a stack of its own, in the slot of the caller too.
        if group.containsCaller { return try await value(of: Greenlet.spawn(body, file: file, line: line)) }
        return try await value(of: spawn(body, file: file, line: line))
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func apply<Value: Sendable>(
        _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) throws -> Value {
        try Greenlet<Never>.inGreenlet {
            if group.containsCaller { return try body() }
            let greenlet = try spawn(body, file: file, line: line)
            do { return try greenlet.get() } catch {
                greenlet.cancel()
                throw error
            }
        }
    }

    private func value<Value: Sendable>(of greenlet: Greenlet<Value>) async throws -> Value {
        do { return try await greenlet.get() } catch {
            // Does nothing when the error is the greenlet's own.
            greenlet.cancel()
            throw error
        }
    }

    /// Runs `body` in the pool as soon as there is a slot, behind all who wait for one as it begins. Never waits: the
    /// greenlet waits itself, and is a member from then on. gevent's apply_async.
    @discardableResult
    public func applyLater<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet<Value> {
        if let greenlet = trySpawn(name: name, body, file: file, line: line) { return greenlet }
        return Greenlet.spawn(
            name: name,
            { () async throws -> Value in
                _ = try await self.takeSlot()
                self.fillSlot(AnyGreenlet.current!)  // a greenlet runs this
                return try await body()
            }, file: file, line: line)
    }

    /// As with an `async` body.
    @discardableResult
    public func applyLater<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet<Value> {
        if let greenlet = trySpawn(name: name, body, file: file, line: line) { return greenlet }
        return Greenlet.spawn(
            name: name,
            { () throws -> Value in
                _ = try self.takeSlot()
                self.fillSlot(AnyGreenlet.current!)  // as above
                return try body()
            }, file: file, line: line)
    }

    /// Runs `body` as `applyLater` and calls `completion` on the reactor with its outcome. Never waits. gevent's
    /// apply_cb.
    @discardableResult
    public func applyLater<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        completion: @escaping @ReactorActor (Result<Value, any Error>) -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet<Value> {
        let greenlet = applyLater(name: name, body, file: file, line: line)
        greenlet.whenReady(completion)
        return greenlet
    }

    /// As with an `async` body.
    @discardableResult
    public func applyLater<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        completion: @escaping @ReactorActor (Result<Value, any Error>) -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet<Value> {
        let greenlet = applyLater(name: name, body, file: file, line: line)
        greenlet.whenReady(completion)
        return greenlet
    }
}
