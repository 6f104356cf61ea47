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
/// gives its outcome up, and carries `Void` from then on. An error that is still there when the last
/// reference goes, `cancelled` too, is logged once, with the place the Deferred was made; only the end of a
/// cancelled task or killed greenlet is not. Reactor only.
///
/// Each `add…` returns the handle for what comes next. Adding through an older handle, or returning one from
/// a callback, is fine while the value's type has not changed since, and a precondition failure when it has.
@ReactorActor
public final class Deferred<Success> {
    let chain: DeferredChain

    /// Makes a Deferred that somebody will fire by `callback` or `errback`.
    ///
    /// - Parameter onCancel: called once by `cancel()` while unfired; it should end the work, and may fire
    ///   the Deferred.
    public init(
        onCancel: (@ReactorActor (Deferred<Success>) -> Void)? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        chain = DeferredChain(valueType: Success.self, file: file, line: line)
        if let onCancel {
            // The chain outlives this handle, so the canceller is given a fresh one.
            chain.canceller = .immediate { [unowned chain] in onCancel(Deferred(chain)) }
        }
    }

    /// Makes a Deferred whose work, once cancelled, fires it in its own time, after its clean-up.
    package init(awaitingCancel onCancel: @escaping @ReactorActor () -> Void, file: StaticString, line: UInt)
    {
        chain = DeferredChain(valueType: Success.self, file: file, line: line)
        chain.canceller = .awaited(onCancel)
    }

    init(_ chain: DeferredChain) { self.chain = chain }

    /// A Deferred that has fired with `value`.
    public static func succeed(
        _ value: Success, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        let deferred = Deferred<Success>(file: file, line: line)
        try? deferred.callback(value)  // cannot throw: it is fresh
        return deferred
    }

    /// A Deferred that has fired with `error`.
    public static func fail(
        _ error: any Error, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Success> {
        let deferred = Deferred<Success>(file: file, line: line)
        try? deferred.errback(error)  // cannot throw: it is fresh
        return deferred
    }

    // MARK: Fire

    /// Fires with a value; the callbacks added so far run before this returns.
    ///
    /// - Throws: `DeferredError` with code `alreadyCalled`; the first outcome stays. After a `cancel()` of a
    ///   Deferred without canceller one late call is ignored instead, because its maker could not know.
    /// - Precondition: The handle is one for the type the Deferred was made with.
    public func callback(_ value: Success) throws(DeferredError) {
        precondition(
            chain.inputType == Success.self,
            """
            the Deferred made at \(chain.file):\(chain.line) is fired with \(chain.inputType), not \(Success.self): \
            fire the handle it was made as
            """)
        try chain.fire(.success(DeferredChain.Box(value)))
    }

    /// Fires with an error; the chain goes on at the first errback. As `callback`.
    public func errback(_ error: any Error) throws(DeferredError) {
        try chain.fire(.failure(error))
    }

    /// Whether the Deferred has fired.
    public var isCalled: Bool { chain.isCalled }

    /// Whether the chain is held, by `pause()` or by a Deferred that a callback returned.
    public var isPaused: Bool { chain.isPaused }

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

extension DeferredChain {
    /// Appends a typed stage, checking that the handle's type is the chain's.
    func append<Input, Output>(
        _ input: Input.Type, _ output: Output.Type, file: StaticString, line: UInt,
        _ transform: @escaping @ReactorActor (Result<Input, any Error>) -> Step
    ) -> Deferred<Output> {
        check(carries: Input.self, file: file, line: line)
        valueType = Output.self
        append { outcome in
            switch outcome {
            // Boxed as Box<Input> by the stage before, whose type was compared above.
            case .success(let box): transform(.success(unsafeDowncast(box, to: Box<Input>.self).value))
            case .failure(let error): transform(.failure(error))
            }
        }
        return Deferred<Output>(self)
    }

    /// Checks that the chain's next stage will be given a `Value`: stages cast without looking.
    func check<Value>(carries type: Value.Type, file: StaticString = #fileID, line: UInt = #line) {
        precondition(
            valueType == type,
            """
            the Deferred made at \(self.file):\(self.line) now carries \(valueType), not \(type): \
            chain on the handle that the last add… returned, and return a Deferred from one callback only
            """, file: file, line: line)
    }
}
