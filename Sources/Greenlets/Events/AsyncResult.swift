public import ReactorCore

/// A value or an error that comes once, for any number of greenlets that wait for it. gevent's AsyncResult.
///
/// ```swift
/// let answer = AsyncResult<Int>()
/// Greenlet.spawn { print(try answer.get()) }
/// try answer.set(42)
/// ```
/// Unlike gevent's, whose second setter wins, it keeps its first outcome: the second setter gets an error. Waiters
/// are woken first come, first. Reactor only, but for the calls `…FromThread`.
@ReactorActor
public final class AsyncResult<Value: Sendable> {
    private let waiters = ParkingLine()
    private var links: ReadinessLinks?
    private let reactor = Reactor.current
    /// The outcome; nil until there is one.
    @exclusivity(unchecked) public private(set) var result: Result<Value, any Error>?

    /// Makes a result for greenlets of the current reactor.
    public init() {}

    /// Makes a result that gets the outcome of `greenlet`, which counts as waited for.
    public convenience init(of greenlet: Greenlet<Value>) {
        self.init()
        follow(greenlet)
    }

    /// Whether there is an outcome.
    public var isReady: Bool { result != nil }
    /// The value, if there is one.
    public var value: Value? { try? result?.get() }
    /// The error, if there is one.
    public var error: (any Error)? {
        guard case .failure(let error) = result else { return nil }
        return error
    }
    /// How many wait.
    public var waiterCount: Int { waiters.count }

    // MARK: Setting

    /// Gives the value and wakes all who wait. Never waits.
    ///
    /// - Throws: `GreenletError` with code `alreadySet` when there is an outcome; nothing has changed then.
    public func set(_ value: Value) throws(GreenletError) { try complete(with: .success(value)) }

    /// Gives the error and wakes all who wait. Never waits.
    ///
    /// - Throws: as `set(_:)`.
    public func fail(with error: any Error) throws(GreenletError) { try complete(with: .failure(error)) }

    /// Gives the outcome and wakes all who wait. Never waits.
    ///
    /// - Throws: as `set(_:)`.
    public func complete(with result: Result<Value, any Error>) throws(GreenletError) {
        guard self.result == nil else {
            throw GreenletError(
                .alreadySet, "an AsyncResult of \(Value.self) is set that has its outcome already")
        }
        accept(result)
    }

    private func accept(_ result: Result<Value, any Error>) {
        self.result = result
        waiters.openAll()
        links.take()?.fire()
    }

    /// Takes over the outcome of `greenlet` when it ends, unless there is one by then. The greenlet counts as waited
    /// for. Never waits.
    public func follow(_ greenlet: Greenlet<Value>) {
        greenlet.whenReady { result in
            if self.result == nil { self.accept(result) }
        }
    }

    /// Gives the value, soon, in the order of the calls of each thread. Any thread; never waits. That there is an
    /// outcome by then goes to `reactor.onUncaughtError`.
    public nonisolated func setFromThread(_ value: Value) {
        reactor.callFromThread { try self.set(value) }
    }

    /// Gives the error, soon, as `setFromThread(_:)`. Any thread; never waits.
    public nonisolated func failFromThread(with error: any Error) {
        reactor.callFromThread { try self.fail(with: error) }
    }

    // MARK: Waiting

    /// Parks the calling task until there is an outcome; returns the value.
    ///
    /// - Throws: the error that was given; `GreenletError` with code `timedOut` after `timeout`; `CancellationError`
    ///   when the task is cancelled.
    public func get(timeout: Duration? = nil) async throws -> Value {
        if result == nil, try await !place().waitUntilOpen(timeout: timeout) { throw timedOut(timeout) }
        return try result!.get()  // set before places are opened
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func get(timeout: Duration? = nil) throws -> Value {
        try Greenlet.inGreenlet {
            if result == nil, try !Greenlet.wait(for: place(), timeout: timeout) { throw timedOut(timeout) }
            return try result!.get()  // as above
        }
    }

    /// Parks the calling task until there is an outcome or `timeout` is over; returns the value, nil for want of one.
    ///
    /// - Throws: `CancellationError` when the task is cancelled, and nothing else: `error` tells an error from a
    ///   time-out.
    @discardableResult
    public func wait(timeout: Duration? = nil) async throws -> Value? {
        if result == nil { _ = try await place().waitUntilOpen(timeout: timeout) }
        return value
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func wait(timeout: Duration? = nil) throws -> Value? {
        try Greenlet.inGreenlet {
            if result == nil { _ = try Greenlet.wait(for: place(), timeout: timeout) }
            return value
        }
    }

    /// The value; nil when there is no outcome yet. Never waits.
    ///
    /// - Throws: the error that was given.
    public func tryGet() throws -> Value? { try result?.get() }

    private func place() -> Latch {
        let place = Latch(on: reactor, for: .subject(self))
        waiters.append(place)
        return place
    }

    private func timedOut(_ timeout: Duration?) -> GreenletError {
        GreenletError(.timedOut, "an AsyncResult had no outcome within \(timeout ?? .zero)")
    }
}

extension AsyncResult: WaitSubject {
    /// `an AsyncResult of Int`.
    public nonisolated var waitDescription: String { "an AsyncResult of \(Value.self)" }
}

extension AsyncResult: Waitable {
    /// Calls `action` as the outcome comes; at once when it is there.
    @discardableResult
    public func onReady(_ action: @escaping @ReactorActor () -> Void) -> ReadinessLink {
        let list = links ?? ReadinessLinks()
        if result == nil { links = list }
        return list.add(isReady: result != nil, action)
    }
}
