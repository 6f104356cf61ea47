/// Fires with the first value and its index, and cancels the others, whose outcomes vanish. Twisted's `race`.
///
/// When all fail it fails with `FailureGroup`, the errors in the order the Deferreds were given. Cancelling it cancels
/// all, and it fires when they have ended. With none to race it never fires.
@ReactorActor public func race<Value>(
    _ deferreds: [Deferred<Value>], file: StaticString = #fileID, line: UInt = #line
) -> Deferred<(index: Int, value: Value)> {
    let race = Deferred<(index: Int, value: Value)>(
        awaitingCancel: { for runner in deferreds { runner.cancel() } }, file: file, line: line)
    var errors = [(any Error)?](repeating: nil, count: deferreds.count)
    var running = deferreds.count
    for (index, runner) in deferreds.enumerated() {
        runner.observe(consumingErrors: true, file: file, line: line) { result in
            running -= 1
            guard !race.isCalled else { return }
            // Neither can throw: it has not fired.
            switch result {
            case .success(let value):
                try? race.callback((index, value))
                for (other, loser) in deferreds.enumerated() where other != index { loser.cancel() }
            case .failure(let error):
                errors[index] = error
                if running == 0 { try? race.errback(FailureGroup(errors.compactMap { $0 })) }
            }
        }
    }
    return race
}
