public import ReactorCore

extension Reactor {
    /// Runs all of `calls` in one greenlet, one after the other; nobody hears of their end. Never waits. Reactor only.
    ///
    /// The first that throws ends the series: its error goes to `onUncaughtError`, the rest never run. geventreactor's
    /// `callMultipleInGreenlet`.
    @ReactorActor public func callMultipleInGreenlet(
        _ calls: [@ReactorActor () throws -> Void], file: StaticString = #fileID, line: UInt = #line
    ) {
        Greenlet.spawnDetached(
            { () throws -> Void in for call in calls { try call() } }, file: file, line: line)
    }

    /// As the synchronous form, with `async` calls.
    @ReactorActor public func callMultipleInGreenlet(
        _ calls: [@ReactorActor () async throws -> Void], file: StaticString = #fileID, line: UInt = #line
    ) {
        Greenlet.spawnDetached(
            { () async throws -> Void in for call in calls { try await call() } }, file: file, line: line)
    }

    /// As the form with closures, of functions, each with its argument: `callMultipleInGreenlet((log, "a"), (store, 7))`.
    @ReactorActor public func callMultipleInGreenlet<each Argument: Sendable>(
        _ calls: repeat (@ReactorActor (each Argument) throws -> Void, each Argument),
        file: StaticString = #fileID, line: UInt = #line
    ) {
        var all: [@ReactorActor () throws -> Void] = []
        for (function, argument) in repeat each calls { all.append { try function(argument) } }
        callMultipleInGreenlet(all, file: file, line: line)
    }
}

/// Runs all of `calls` in one greenlet of the current reactor. As `Reactor.callMultipleInGreenlet`.
@ReactorActor public func callMultipleInGreenlet(
    _ calls: [@ReactorActor () throws -> Void], file: StaticString = #fileID, line: UInt = #line
) {
    Reactor.current.callMultipleInGreenlet(calls, file: file, line: line)
}

/// As the synchronous form, with `async` calls.
@ReactorActor public func callMultipleInGreenlet(
    _ calls: [@ReactorActor () async throws -> Void], file: StaticString = #fileID, line: UInt = #line
) {
    Reactor.current.callMultipleInGreenlet(calls, file: file, line: line)
}

/// As the form with closures, of functions, each with its argument.
@ReactorActor public func callMultipleInGreenlet<each Argument: Sendable>(
    _ calls: repeat (@ReactorActor (each Argument) throws -> Void, each Argument),
    file: StaticString = #fileID, line: UInt = #line
) {
    Reactor.current.callMultipleInGreenlet(repeat each calls, file: file, line: line)
}
