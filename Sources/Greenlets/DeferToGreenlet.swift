public import ReactorCore

extension Reactor {
    /// Runs a synchronous body in a greenlet; its value or error fires the Deferred, on the reactor. Never
    /// waits.
    ///
    /// ```swift
    /// reactor.deferToGreenlet { try Client.find(7, db) }.addCallback { print($0) }
    /// ```
    /// The body looks blocking and parks: databases, sockets, sleeps, C libraries under BlockingShims.
    /// Cancelling the Deferred kills the greenlet; the Deferred fires when it has ended. Reactor only.
    @ReactorActor public func deferToGreenlet<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        waitForGreenlet(Greenlet.spawn(name: name, body, file: file, line: line), file: file, line: line)
    }

    /// As the synchronous form, with an `async` body.
    @ReactorActor public func deferToGreenlet<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        waitForGreenlet(Greenlet.spawn(name: name, body, file: file, line: line), file: file, line: line)
    }

    /// A Deferred that fires with the outcome of `greenlet`. Cancelling it kills the greenlet. Never waits.
    @ReactorActor public func waitForGreenlet<Value: Sendable>(
        _ greenlet: Greenlet<Value>, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        let deferred = Deferred<Value>(awaitingCancel: { greenlet.cancel() }, file: file, line: line)
        greenlet.whenReady { result in
            // Cannot throw: nobody else fires it, and cancelling it only kills the greenlet.
            switch result {
            case .success(let value): try? deferred.callback(value)
            case .failure(let error): try? deferred.errback(error)
            }
        }
        return deferred
    }
}

/// Runs a synchronous body in a greenlet of the current reactor. As `Reactor.deferToGreenlet`.
@ReactorActor public func deferToGreenlet<Value: Sendable>(
    name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
    file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    Reactor.current.deferToGreenlet(name: name, body, file: file, line: line)
}

/// Runs an `async` body in a greenlet of the current reactor. As `Reactor.deferToGreenlet`.
@ReactorActor public func deferToGreenlet<Value: Sendable>(
    name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
    file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    Reactor.current.deferToGreenlet(name: name, body, file: file, line: line)
}

/// Parks the calling greenlet until `deferred` has fired; returns its value. For synchronous code in a
/// greenlet; `async` code writes `try await deferred.value`.
///
/// - Throws: the Deferred's error with its own type; the killer's error when the greenlet is killed, and the
///   Deferred is cancelled; `GreenletError` with code `notInGreenlet` outside a greenlet.
@ReactorActor public func waitForDeferred<Value: Sendable>(_ deferred: Deferred<Value>) throws -> Value {
    try Greenlet.blockingCall { try await deferred.value }
}
