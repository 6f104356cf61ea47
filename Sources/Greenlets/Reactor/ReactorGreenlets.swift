public import ReactorCore

/// What a reactor does with greenlets for code that has only the reactor: geventreactor's `IReactorGreenlets`. Reactors
/// conform; so may a stand-in in a test. Reactor only; nothing here waits.
///
/// The requirements name the place of the call, for reports; callers use the forms without, which fill it in.
@ReactorActor
public protocol ReactorGreenlets {
    /// The pool that `callInGreenlet` uses, for `deferToGreenletPool` and for yourself.
    var greenletPool: GreenletPool { get }

    /// Changes how many greenlets of the pool may run at once; nil for any number.
    func suggestGreenletPoolSize(_ limit: Int?)

    /// As `callInGreenlet(_:file:line:)`.
    func callInGreenlet(at site: CallSite, _ body: @escaping @ReactorActor () throws -> Void)

    /// As `callInGreenlet(_:file:line:)`.
    func callInGreenlet(at site: CallSite, _ body: @escaping @ReactorActor () async throws -> Void)

    /// As `callFromGreenlet(_:file:line:)`.
    func callFromGreenlet(at site: CallSite, _ body: @escaping @ReactorActor () throws -> Void) -> DelayedCall
}

extension ReactorGreenlets {
    /// Runs `body` in a greenlet of the pool; nobody hears of its end. What it throws goes to `onUncaughtError`. Never waits:
    /// while the pool is full, the body does.
    ///
    /// ```swift
    /// reactor.callInGreenlet { try Visit.add(page, db) }
    /// reactor.callInGreenlet(Visit.add, page, db)
    /// ```
    public func callInGreenlet(
        _ body: @escaping @ReactorActor () throws -> Void, file: StaticString = #fileID, line: UInt = #line
    ) {
        callInGreenlet(at: CallSite(file, line), body)
    }

    /// As the synchronous form, with an `async` body.
    public func callInGreenlet(
        _ body: @escaping @ReactorActor () async throws -> Void, file: StaticString = #fileID,
        line: UInt = #line
    ) {
        callInGreenlet(at: CallSite(file, line), body)
    }

    /// As the form with a closure, of a function and its arguments.
    public func callInGreenlet<First: Sendable, each Rest: Sendable>(
        _ function: @escaping @ReactorActor (First, repeat each Rest) throws -> Void, _ first: First,
        _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
    ) {
        callInGreenlet(at: CallSite(file, line)) { () throws -> Void in
            try function(first, repeat each rest)
        }
    }

    /// As the form with a closure, of an `async` function and its arguments.
    public func callInGreenlet<First: Sendable, each Rest: Sendable>(
        _ function: @escaping @ReactorActor (First, repeat each Rest) async throws -> Void, _ first: First,
        _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
    ) {
        callInGreenlet(at: CallSite(file, line)) { () async throws -> Void in
            try await function(first, repeat each rest)
        }
    }

    /// Runs `body` on the reactor itself, in no greenlet, in a coming turn. Never waits, and neither must the body.
    ///
    /// The call returned can be cancelled until then. What the body throws goes to `onUncaughtError`. To wait for its outcome:
    /// `blockingCallFromGreenlet`.
    @discardableResult
    public func callFromGreenlet(
        _ body: @escaping @ReactorActor () throws -> Void, file: StaticString = #fileID, line: UInt = #line
    ) -> DelayedCall {
        callFromGreenlet(at: CallSite(file, line), body)
    }

    /// As the form with a closure, of a function and its arguments.
    @discardableResult
    public func callFromGreenlet<First: Sendable, each Rest: Sendable>(
        _ function: @escaping @ReactorActor (First, repeat each Rest) throws -> Void, _ first: First,
        _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
    ) -> DelayedCall {
        callFromGreenlet(at: CallSite(file, line)) { try function(first, repeat each rest) }
    }
}

extension Reactor: ReactorGreenlets {
    /// The reactor's own pool: of any number of greenlets, unless `suggestGreenletPoolSize` says otherwise.
    ///
    /// `deferToGreenlet` and `Greenlet.spawn` do without it.
    @ReactorActor public var greenletPool: GreenletPool {
        let registry = GreenletRegistry.of(self)
        if let pool = registry.pool { return pool }
        let pool = GreenletPool(limit: nil)
        registry.pool = pool
        return pool
    }

    /// Changes how many greenlets of `greenletPool` may run at once; nil for any number. Those that run go on. Never waits.
    ///
    /// geventreactor's does nothing, its pool being unlimited.
    /// - Precondition: `limit` is not negative.
    @ReactorActor public func suggestGreenletPoolSize(_ limit: Int?) { greenletPool.adjust(limit: limit) }

    /// As `callInGreenlet(_:file:line:)`.
    @ReactorActor public func callInGreenlet(
        at site: CallSite, _ body: @escaping @ReactorActor () throws -> Void
    ) {
        startInPool(at: site) { $0.run(body) }
    }

    /// As `callInGreenlet(_:file:line:)`.
    @ReactorActor public func callInGreenlet(
        at site: CallSite, _ body: @escaping @ReactorActor () async throws -> Void
    ) {
        startInPool(at: site) { $0.run(body) }
    }

    @ReactorActor private func startInPool(
        at site: CallSite, _ start: @escaping @ReactorActor (Greenlet<Void>) -> Void
    ) {
        let pool = greenletPool
        let greenlet = Greenlet<Void>(name: nil, site)
        let fill: @ReactorActor () -> Void = {
            start(greenlet)
            pool.fillSlot(greenlet)
        }
        if pool.tryTakeSlot() { return fill() }
        Greenlet<Void>(name: nil, site).run { () async throws -> Void in
            if try await pool.takeSlot() { fill() }
        }
    }

    /// As `callFromGreenlet(_:file:line:)`.
    @ReactorActor public func callFromGreenlet(
        at site: CallSite, _ body: @escaping @ReactorActor () throws -> Void
    ) -> DelayedCall {
        // Whatever else is bound where it is called from: the body runs in no greenlet.
        callLater(.zero, { try AnyGreenlet.$current.withValue(nil, operation: body) }, at: site)
    }
}
