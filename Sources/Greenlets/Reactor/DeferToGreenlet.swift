public import ReactorCore

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

/// Runs a function with its arguments in a greenlet of the current reactor: `deferToGreenlet(add, 3, 4)`. As
/// `Reactor.deferToGreenlet`.
@ReactorActor public func deferToGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
    name: String? = nil, _ function: @escaping @ReactorActor (First, repeat each Rest) throws -> Value,
    _ first: First, _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    Reactor.current.deferToGreenlet(
        name: name, { () throws -> Value in try function(first, repeat each rest) }, file: file, line: line)
}

/// Runs an `async` function with its arguments in a greenlet of the current reactor. As `Reactor.deferToGreenlet`.
@ReactorActor public func deferToGreenlet<First: Sendable, each Rest: Sendable, Value: Sendable>(
    name: String? = nil, _ function: @escaping @ReactorActor (First, repeat each Rest) async throws -> Value,
    _ first: First, _ rest: repeat each Rest, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    Reactor.current.deferToGreenlet(
        name: name, { () async throws -> Value in try await function(first, repeat each rest) }, file: file,
        line: line)
}

/// A Deferred that fires with the outcome of `greenlet`. As `Reactor.waitForGreenlet`.
@ReactorActor public func waitForGreenlet<Value: Sendable>(
    _ greenlet: Greenlet<Value>, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    greenlet.reactor.waitForGreenlet(greenlet, file: file, line: line)
}
