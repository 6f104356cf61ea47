/// A value that comes later, and the chain of callbacks it will pass: Twisted's Deferred, typed.
///
/// ```swift
/// reactor.deferToGreenlet { try Client.find(7, db) }
///     .addCallback { client in client.name }          // Deferred<String>
///     .addErrback { error in "nobody (\(error))" }    // back on the callback side
///     .addCallback { name in print(name) }
/// ```
/// Callbacks run in the order they were added, synchronously, inside `callback()` or, once fired, inside
/// `addCallback`. What one returns the next receives; an error skips to the next errback; a Deferred or an
/// `async` callback holds the chain until it has its outcome. A Deferred that is returned from a callback
/// gives its outcome up, and carries `Void` from then on. Task-local values that are bound where a callback is
/// added are bound when it runs. Reactor only.
///
/// An error that is still there when the last reference goes, `cancelled` too, is logged once, with the place the
/// Deferred was made and the way of the error; only the end of a cancelled task or killed greenlet is not.
///
/// A Deferred is a handle: copies stand for the same chain. Each `add…` returns the handle for what comes next.
/// Adding through an older handle, or returning one from a callback, is fine while the value's type has not changed
/// since, and a precondition failure that names both places when it has.
@ReactorActor
public struct Deferred<Success>: Sendable {
    @usableFromInline let chain: DeferredChain

    /// Makes a Deferred that somebody will fire by `callback` or `errback`.
    @inlinable public init(file: StaticString = #fileID, line: UInt = #line) {
        chain = DeferredChain(Success.self, CallSite(file, line))
    }

    /// Makes a Deferred that can be told to give up.
    ///
    /// - Parameter onCancel: called once by `cancel()` while unfired; it should end the work, and may fire
    ///   the Deferred it is given.
    public init(
        onCancel: @escaping @ReactorActor (Deferred<Success>) -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        chain = DeferredChain(Success.self, CallSite(file, line))
        chain.setCanceller(.immediate { chain in onCancel(Deferred(chain)) })
    }

    /// Makes a Deferred whose work, once cancelled, fires it in its own time, after its clean-up.
    package init(awaitingCancel onCancel: @escaping @ReactorActor () -> Void, file: StaticString, line: UInt)
    {
        chain = DeferredChain(Success.self, CallSite(file, line))
        chain.setCanceller(.awaited { _ in onCancel() })
    }

    @usableFromInline init(_ chain: DeferredChain) { self.chain = chain }

    /// A Deferred that has fired with `value`.
    @inlinable public static func succeed(
        _ value: Success, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        let deferred = Deferred<Success>(file: file, line: line)
        try? deferred.callback(value, file: file, line: line)  // cannot throw: it is fresh
        return deferred
    }

    /// A Deferred that has fired with `error`.
    public static func fail(
        _ error: any Error, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        let deferred = Deferred<Success>(file: file, line: line)
        try? deferred.errback(error, file: file, line: line)  // cannot throw: it is fresh
        return deferred
    }

    // MARK: Fire

    /// Fires with a value; the callbacks added so far run before this returns.
    ///
    /// - Throws: `DeferredError` with code `alreadyCalled`; the first outcome stays. After a `cancel()` of a
    ///   Deferred without canceller one late call is ignored instead, because its maker could not know.
    /// - Precondition: The handle is one for the type the Deferred was made with.
    @inlinable public func callback(
        _ value: Success, file: StaticString = #fileID, line: UInt = #line
    ) throws(DeferredError) {
        let site = CallSite(file, line)
        if chain.inputType != Success.self { rejectFiring(at: site) }
        try chain.fire(value, site)
    }

    @usableFromInline func rejectFiring(at site: CallSite) -> Never {
        preconditionFailure(
            """
            the Deferred made at \(chain.madeAt) is fired with \(chain.inputType), not \(Success.self) as at \(site): \
            fire the handle it was made as
            """)
    }

    /// Fires with an error; the chain goes on at the first errback. As `callback`.
    public func errback(
        _ error: any Error, file: StaticString = #fileID, line: UInt = #line
    ) throws(DeferredError) {
        try chain.fire(failure: error, CallSite(file, line))
    }

    /// Fires with whichever outcome `result` is.
    public func fire(
        with result: Result<Success, any Error>, file: StaticString = #fileID, line: UInt = #line
    ) throws(DeferredError) {
        switch result {
        case .success(let value): try callback(value, file: file, line: line)
        case .failure(let error): try errback(error, file: file, line: line)
        }
    }

    // MARK: State

    /// Whether the Deferred has fired.
    public var isCalled: Bool { chain.isCalled }

    /// Whether the chain is held, by `pause()` or by a Deferred that a callback returned.
    public var isPaused: Bool { chain.isPaused }

    /// The outcome as far as the chain has got, left where it is. Nil while unfired, while a callback runs, while the
    /// chain waits for another Deferred, and when callbacks are held back by `pause()`: they will change it.
    ///
    /// - Precondition: The handle is the newest one, or the value's type has not changed since.
    public func result(
        file: StaticString = #fileID, line: UInt = #line
    ) -> Result<Success, any Error>? {
        chain.check(carries: Success.self, at: CallSite(file, line))
        return chain.hasPendingStages ? nil : chain.peek(Success.self)
    }

    /// Holds the chain; as many `unpause()` are needed as there were `pause()`.
    public func pause() { chain.pause() }

    /// Lets the chain go on; callbacks that were held run before this returns.
    public func unpause() { chain.unpause() }

    /// Gives up on the outcome: the work behind it is told to end, and the chain gets its error.
    ///
    /// Unfired: the canceller runs once; if it fires nothing, the chain gets `DeferredError` with code
    /// `cancelled`. Waiting for a Deferred that a callback returned: that one is cancelled. Otherwise nothing
    /// happens.
    public func cancel() { chain.cancel() }
}

extension Deferred {
    /// Whether both are handles of one chain.
    public func isSame<Other>(as other: Deferred<Other>) -> Bool { chain === other.chain }
}
