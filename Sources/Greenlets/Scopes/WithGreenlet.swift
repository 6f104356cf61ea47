import ReactorCore

/// Runs `body` beside `greenlet`, which has ended when this returns. gevent's `with` of a greenlet.
///
/// ```swift
/// try await withGreenlet(Greenlet.spawn { try Ticker.run() }) { ticker in
///     try await upload(file)
///     ticker.cancel()
/// }
/// ```
/// After `body` the calling task parks until the greenlet has ended. When `body` throws, the greenlet is killed with that
/// error, waited for, and the error thrown on; so it is when the calling task is cancelled while it waits. A greenlet that
/// was not started is killed in any case. Its own error is not thrown: it is in `result`.
/// - Throws: what `body` throws; `CancellationError`.
@ReactorActor
public func withGreenlet<Member: AnyGreenlet, Value: Sendable>(
    _ greenlet: Member, body: @ReactorActor (Member) async throws -> Value
) async throws -> Value {
    do {
        let value = try await body(greenlet)
        if !greenlet.isRunning { greenlet.cancel() }
        try await greenlet.join()
        return value
    } catch {
        greenlet.cancel(throwing: DeferredError.isCancellation(error) ? GreenletExit() : error)
        await greenlet.joinUncancellably()
        throw error
    }
}

/// As the `async` form, for synchronous code in a greenlet.
///
/// - Throws: what `body` throws; the killer's error; `GreenletError` with code `notInGreenlet`.
@_disfavoredOverload  // or a body without an await would choose it in async code, too
public func withGreenlet<Member: AnyGreenlet, Value: Sendable>(
    _ greenlet: Member, body: @ReactorActor (Member) throws -> Value
) throws -> Value {
    try Greenlet.inFiber { fiber in
        do {
            let value = try body(greenlet)
            if !greenlet.isRunning { greenlet.cancel() }
            try greenlet.join()
            return value
        } catch {
            greenlet.cancel(throwing: DeferredError.isCancellation(error) ? GreenletExit() : error)
            _ = try? fiber.withShield { try greenlet.join() }
            throw error
        }
    }
}
