import ReactorCore

/// Runs `body` with a socket, which is closed when this returns, however `body` ends. Python's `with socket:`.
///
/// ```swift
/// let answer = try await withSocket(.connect(to: "127.0.0.1", port: 6379)) { socket in
///     try await socket.sendAll("PING\r\n")
///     return try await socket.receiveLine()
/// }
/// ```
/// - Throws: what `body` throws.
@ReactorActor
public func withSocket<Value: Sendable>(
    _ socket: GreenSocket, _ body: @ReactorActor (GreenSocket) async throws -> Value
) async throws -> Value {
    defer { socket.close() }
    return try await body(socket)
}

/// As the `async` form, for synchronous code in a greenlet.
///
/// - Throws: what `body` throws; `GreenletError` with code `notInGreenlet`.
@_disfavoredOverload  // or a body without an await would choose it in async code, too
public func withSocket<Value: Sendable>(
    _ socket: GreenSocket, _ body: @ReactorActor (GreenSocket) throws -> Value
) throws -> Value {
    try Greenlet.inGreenlet {
        defer { socket.close() }
        return try body(socket)
    }
}
