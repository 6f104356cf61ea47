/// Calls `body` and gives its outcome as a Deferred: what it returns, or the error it throws. Twisted's
/// `maybeDeferred` (and `execute`): for callers that do not care whether an answer is there already.
@ReactorActor public func maybeDeferred<Success>(
    _ body: @ReactorActor () throws -> Success, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Success> {
    do { return .succeed(try body(), file: file, line: line) } catch {
        return .fail(error, file: file, line: line)
    }
}

/// Calls `body` and gives the Deferred it returns itself, or one that has failed with the error it throws.
@ReactorActor public func maybeDeferred<Success>(
    _ body: @ReactorActor () throws -> Deferred<Success>, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Success> {
    do { return try body() } catch { return .fail(error, file: file, line: line) }
}

/// Runs `body` as a task on the reactor and gives its outcome as a Deferred. As `Deferred(async:)`.
@ReactorActor public func maybeDeferred<Success: Sendable>(
    _ body: @escaping @ReactorActor () async throws -> Success, file: StaticString = #fileID,
    line: UInt = #line
) -> Deferred<Success> {
    Deferred(async: body, on: .current, file: file, line: line)
}
