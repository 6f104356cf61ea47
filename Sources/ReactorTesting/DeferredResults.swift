public import ReactorCore
public import Testing

/// The value that a Deferred has now. Takes it out of the chain, as a callback would; never waits. Twisted's
/// `successResultOf`.
///
/// - Throws: after recording an issue at the caller's line, when the Deferred has no result yet or an error.
///   The test need not catch it.
@ReactorActor
public func successResult<Value>(
    of deferred: Deferred<Value>, sourceLocation: SourceLocation = #_sourceLocation
) throws -> Value {
    let result = try currentResult(of: deferred, expected: "a value", sourceLocation)
    switch result {
    case .success(let value): return value
    case .failure(let error):
        return try #require(
            nil as Value?, "expected a value; the Deferred failed with \(type(of: error)): \(error)",
            sourceLocation: sourceLocation)
    }
}

/// The error that a Deferred has now, which counts as handled; never waits. Twisted's `failureResultOf`.
///
/// - Parameter type: what error it has to be.
/// - Throws: after recording an issue at the caller's line, when the Deferred has no result yet, a value or
///   another error. The test need not catch it.
@ReactorActor
public func failureResult<Value, Failure: Error>(
    of deferred: Deferred<Value>, as type: Failure.Type, sourceLocation: SourceLocation = #_sourceLocation
) throws -> Failure {
    let error = try failureResult(of: deferred, sourceLocation: sourceLocation)
    return try #require(
        error as? Failure,
        "expected \(type); the Deferred failed with \(Swift.type(of: error)): \(error)",
        sourceLocation: sourceLocation)
}

/// The error that a Deferred has now, whatever its type. As the form with a type.
@ReactorActor
public func failureResult<Value>(
    of deferred: Deferred<Value>, sourceLocation: SourceLocation = #_sourceLocation
) throws -> any Error {
    let result = try currentResult(of: deferred, expected: "an error", sourceLocation)
    switch result {
    case .failure(let error): return error
    case .success(let value):
        return try #require(
            nil as (any Error)?, "expected an error; the Deferred has the value \(value)",
            sourceLocation: sourceLocation)
    }
}

/// Records an issue at the caller's line when a Deferred has a value or an error already; never waits. What
/// comes later goes on along the chain, untouched. Twisted's `assertNoResult`.
@ReactorActor
public func expectNoResult<Value>(
    of deferred: Deferred<Value>, sourceLocation: SourceLocation = #_sourceLocation
) {
    var found: Result<Value, any Error>?
    deferred.addBoth { result in
        found = result
        return try result.get()
    }
    switch found {
    case nil: return
    case .success(let value):
        Issue.record(
            "expected no result yet; the Deferred has the value \(value)", sourceLocation: sourceLocation)
    case .failure(let error):
        Issue.record(
            "expected no result yet; the Deferred failed with \(type(of: error)): \(error)",
            sourceLocation: sourceLocation)
    }
}

@ReactorActor
private func currentResult<Value>(
    of deferred: Deferred<Value>, expected: String, _ sourceLocation: SourceLocation
) throws -> Result<Value, any Error> {
    var result: Result<Value, any Error>?
    deferred.addBoth { result = $0 }
    return try #require(
        result, "expected \(expected); the Deferred has no result yet", sourceLocation: sourceLocation)
}
