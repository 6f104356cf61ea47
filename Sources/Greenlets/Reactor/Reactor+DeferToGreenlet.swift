public import ReactorCore

extension Reactor {
    /// Runs a synchronous body in a greenlet; its value or error fires the Deferred, on the reactor. Never
    /// waits.
    ///
    /// ```swift
    /// reactor.deferToGreenlet { try Client.find(7, db) }.addCallback { print($0) }
    /// reactor.deferToGreenlet(Client.find, 7, db).addCallback { print($0) }
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

    /// As the form with a closure, of a function and its arguments: `reactor.deferToGreenlet(add, 3, 4)`.
    @ReactorActor public func deferToGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
        name: String? = nil, _ function: @escaping @ReactorActor (First, repeat each Rest) throws -> Value,
        _ first: First, _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferToGreenlet(
            name: name, { () throws -> Value in try function(first, repeat each rest) }, file: file,
            line: line)
    }

    /// As the synchronous form, of an `async` function and its arguments.
    @ReactorActor public func deferToGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
        name: String? = nil,
        _ function: @escaping @ReactorActor (First, repeat each Rest) async throws -> Value,
        _ first: First, _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        deferToGreenlet(
            name: name, { () async throws -> Value in try await function(first, repeat each rest) },
            file: file, line: line)
    }

    /// A Deferred that fires with the outcome of `greenlet`. Cancelling it kills the greenlet. Never waits.
    @ReactorActor public func waitForGreenlet<Value: Sendable>(
        _ greenlet: Greenlet<Value>, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Value> {
        let deferred = Deferred<Value>(awaitingCancel: { greenlet.cancel() }, file: file, line: line)
        greenlet.whenReady { result in
            // Cannot throw: nobody else fires it, and cancelling it only kills the greenlet.
            try? deferred.fire(with: result, file: file, line: line)
        }
        return deferred
    }
}
