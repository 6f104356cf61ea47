import ReactorCore

extension GreenletPool {
    /// Spawns a greenlet with a synchronous body in the pool; parks the calling task while the pool is full.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; nothing has been spawned then.
    @discardableResult
    @inlinable public func spawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) async throws -> Greenlet<Value> {
        if !tryTakeSlot() { _ = try await takeSlot() }
        return fill(Greenlet.spawn(name: name, body, file: file, line: line))
    }

    /// Spawns a greenlet with an `async` body, as the synchronous one.
    @discardableResult
    @inlinable public func spawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) async throws -> Greenlet<Value> {
        if !tryTakeSlot() { _ = try await takeSlot() }
        return fill(Greenlet.spawn(name: name, body, file: file, line: line))
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    @inlinable public nonisolated func spawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) throws -> Greenlet<Value> {
        try Greenlet<Never>.inGreenlet {
            _ = try takeSlot()
            return fill(Greenlet.spawn(name: name, body, file: file, line: line))
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    @inlinable public nonisolated func spawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) throws -> Greenlet<Value> {
        try Greenlet<Never>.inGreenlet {
            _ = try takeSlot()
            return fill(Greenlet.spawn(name: name, body, file: file, line: line))
        }
    }

    /// Spawns a greenlet with a synchronous body if the pool is not full; nil then. Never waits.
    @inlinable public func trySpawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet<Value>? {
        guard tryTakeSlot() else { return nil }
        return fill(Greenlet.spawn(name: name, body, file: file, line: line))
    }

    /// Spawns a greenlet with an `async` body if the pool is not full; nil then. Never waits.
    @inlinable public func trySpawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet<Value>? {
        guard tryTakeSlot() else { return nil }
        return fill(Greenlet.spawn(name: name, body, file: file, line: line))
    }

    @inlinable func fill<Value: Sendable>(_ greenlet: Greenlet<Value>) -> Greenlet<Value> {
        fillSlot(greenlet)
        return greenlet
    }

    // MARK: Greenlets that are there already

    /// Adds a greenlet; parks the calling task while the pool is full. One that is in or has ended takes no slot.
    ///
    /// - Throws: `GreenletError` with code `full` after `timeout`; `CancellationError` when the task is cancelled.
    public func add(_ greenlet: AnyGreenlet, timeout: Duration? = nil) async throws {
        if contains(greenlet) { return }
        guard try await takeSlot(timeout: timeout) else { throw full(timeout) }
        fillSlot(greenlet)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func add(_ greenlet: AnyGreenlet, timeout: Duration? = nil) throws {
        try Greenlet.inGreenlet {
            if contains(greenlet) { return }
            guard try takeSlot(timeout: timeout) else { throw full(timeout) }
            fillSlot(greenlet)
        }
    }

    /// Adds a greenlet if the pool is not full. Whether it is in. Never waits.
    public func tryAdd(_ greenlet: AnyGreenlet) -> Bool {
        if contains(greenlet) { return true }
        guard !greenlet.isReady, tryTakeSlot() else { return false }
        fillSlot(greenlet)
        return true
    }

    private func full(_ timeout: Duration?) -> GreenletError {
        GreenletError(
            .full,
            """
            a pool of \(limit ?? .max) greenlets had no free slot within \(timeout ?? .zero): give it more time or a \
            higher limit
            """
        )
    }
}
