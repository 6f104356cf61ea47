import ReactorCore

/// Runs `body`, which spawns greenlets in a scope, and parks the calling task until all of them have ended: no greenlet
/// outlives the scope it was spawned in. Trio's nursery, for greenlets.
///
/// ```swift
/// let (film, cast) = try await withGreenlets { scope in
///     let film = try scope.spawn { try Film.find(id, db) }
///     let cast = try scope.spawn { try Actor.all(of: id, db) }
///     return (try await film.get(), try await cast.get())
/// }
/// ```
/// The first error, of a greenlet or of the body, ends the rest: greenlets are killed, the body's waits end with
/// `CancellationError`, and `spawn` refuses. When the calling task is cancelled, its greenlet killed or a time-out around
/// the scope over, all of that happens too. In every case the scope is left when the last greenlet has ended; one that
/// does not let itself be killed holds it up. Scopes nest. `body` runs in a child task, on the reactor.
/// - Throws: the error; `GreenletScopeError` with all of them when more has failed before everything had ended;
///   `CancellationError` when the calling task was cancelled and nothing else failed.
@ReactorActor
public func withGreenlets<Value: Sendable>(
    _ body: @ReactorActor (GreenletScope) async throws -> Value
) async throws -> Value {
    try await GreenletScope().run(body)
}

/// As the `async` form, for synchronous code in a greenlet; `body` runs on the greenlet itself.
///
/// - Throws: as the `async` form, with the killer's error, or the `TimeoutError` of a time-out around the scope, in the place
///   of `CancellationError`; `GreenletError` with code `notInGreenlet`.
@_disfavoredOverload  // or a body without an await would choose it in async code, too
public func withGreenlets<Value: Sendable>(
    _ body: @ReactorActor (GreenletScope) throws -> Value
) throws -> Value {
    try Greenlet.inFiber { try GreenletScope().run(in: $0, body) }
}
