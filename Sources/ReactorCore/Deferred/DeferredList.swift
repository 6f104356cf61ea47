/// Waits for several Deferreds: the outcome of each, in the order they were given, whatever the order they fire in.
///
/// ```swift
/// DeferredList(orders.map { reactor.deferToGreenlet { try ship($0) } })
///     .addCallback { results in print("\(results.count { (try? $0.get()) != nil }) shipped") }
/// ```
public typealias DeferredList<Value> = Deferred<[Result<Value, any Error>]>

extension Deferred {
    /// Fires with every outcome once all are there; with none to wait for, at once.
    ///
    /// Each member keeps its outcome for whoever holds it, so an error is reported as unhandled when nobody handles it
    /// there. With `consumeErrors` it counts as handled. Cancelling the list cancels every member, and the list fires with
    /// what comes of that. Twisted's `DeferredList`.
    /// - Parameters:
    ///   - deferreds: the members; further callbacks may be added to them.
    ///   - fireOnOneErrback: fail at the first error, with `FirstError`.
    ///   - consumeErrors: count the members' errors as handled. A member stays failed: no value of its type stands for
    ///     Twisted's None.
    public init<Value>(
        _ deferreds: [Deferred<Value>], fireOnOneErrback: Bool = false, consumeErrors: Bool = false,
        file: StaticString = #fileID, line: UInt = #line
    ) where Success == [Result<Value, any Error>] {
        self.init(file: file, line: line)
        let outcomes = Outcomes<Value>(count: deferreds.count)
        if deferreds.isEmpty { try? callback([]) }  // cannot throw: it is fresh
        observe(deferreds, consumingErrors: consumeErrors, file: file, line: line) { index, result, list in
            let all = outcomes.add(result, at: index)
            guard !list.isCalled else { return }
            // Neither can throw: it has not fired.
            if fireOnOneErrback, case .failure(let error) = result {
                try? list.errback(FirstError(index: index, underlying: error))
            } else if let all {
                try? list.callback(all)
            }
        }
    }

    /// Fires with the first value and its index; with every error when all have failed. With none to wait for it never
    /// fires. Otherwise as `init(_:fireOnOneErrback:consumeErrors:)`. Twisted's `DeferredList(fireOnOneCallback=True)`.
    public init<Value>(
        fireOnOneCallback deferreds: [Deferred<Value>], fireOnOneErrback: Bool = false,
        consumeErrors: Bool = false,
        file: StaticString = #fileID, line: UInt = #line
    ) where Success == FirstCallback<Value> {
        self.init(file: file, line: line)
        let outcomes = Outcomes<Value>(count: deferreds.count)
        observe(deferreds, consumingErrors: consumeErrors, file: file, line: line) { index, result, list in
            let all = outcomes.add(result, at: index)
            guard !list.isCalled else { return }
            // None can throw: it has not fired.
            switch result {
            case .success(let value): try? list.callback(.first(value, index: index))
            case .failure(let error):
                if fireOnOneErrback {
                    try? list.errback(FirstError(index: index, underlying: error))
                } else if all != nil {
                    try? list.callback(.none(FailureGroup(outcomes.errors)))
                }
            }
        }
    }
}

/// What a list of Deferreds that fires on one callback comes to.
public enum FirstCallback<Value> {
    /// The first value, and whose it is.
    case first(Value, index: Int)
    /// There was none: every error, in the order of the members.
    case none(FailureGroup)
}

/// The outcomes of a list's members as they come in.
@ReactorActor private final class Outcomes<Value> {
    private var results: [Result<Value, any Error>?]
    private var missing: Int

    init(count: Int) {
        results = Array(repeating: nil, count: count)
        missing = count
    }

    /// Notes one, once; returns all when it was the last.
    func add(_ result: Result<Value, any Error>, at index: Int) -> [Result<Value, any Error>]? {
        guard results[index] == nil else { return nil }
        results[index] = result
        missing -= 1
        return missing == 0 ? results.compactMap { $0 } : nil
    }

    var errors: [any Error] {
        results.compactMap { if case .failure(let error)? = $0 { error } else { nil } }
    }
}

/// Fires with the values of all, in the order they were given, or fails at the first error with `FirstError`. Twisted's
/// `gatherResults`.
///
/// Errors that come after the first are dropped when `consumeErrors` is set, and else stay with their Deferreds.
@ReactorActor public func gatherResults<Value>(
    _ deferreds: [Deferred<Value>], consumeErrors: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
) -> Deferred<[Value]> {
    DeferredList(
        deferreds, fireOnOneErrback: true, consumeErrors: consumeErrors, file: file, line: line
    ).addCallback({ results in try results.map { try $0.get() } }, file: file, line: line)
}
