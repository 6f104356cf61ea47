/// Fires with the first value and its index, and cancels the others, whose outcomes vanish. Twisted's `race`.
///
/// When all fail it fails with `FailureGroup`, the errors in the order the Deferreds were given. Cancelling it cancels
/// all, and it fires when they have ended. With none to race it never fires.
@ReactorActor public func race<Value>(
    _ deferreds: [Deferred<Value>], file: StaticString = #fileID, line: UInt = #line
) -> Deferred<(index: Int, value: Value)> {
    let race = Deferred<(index: Int, value: Value)>(file: file, line: line)
    var errors = [(any Error)?](repeating: nil, count: deferreds.count)
    race.observe(deferreds, consumingErrors: true, file: file, line: line) { index, result, race in
        guard !race.isCalled else { return }
        // Neither can throw: it has not fired.
        switch result {
        case .success(let value):
            let cancelAll = race.chain.canceller
            try? race.callback((index, value))
            // The winner has its outcome: nothing happens to it.
            if case .awaited(let cancel) = cancelAll { cancel(race.chain) }
        case .failure(let error):
            errors[index] = error
            let all = errors.compactMap { $0 }
            if all.count == errors.count { try? race.errback(FailureGroup(all)) }
        }
    }
    return race
}
