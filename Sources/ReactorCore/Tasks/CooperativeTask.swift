/// One task of a `Cooperator`: what `cooperate` returns, to pause it, end it, or hear of its end. Twisted's
/// CooperativeTask. Reactor only; nothing here waits.
@ReactorActor
public final class CooperativeTask {
    /// What a step came to.
    enum Step {
        /// There are no more.
        case exhausted
        /// The next one may come.
        case made
        /// The next one may come when this is over. `isOwn`: nobody else knows of it.
        case pending(any PendingOutcome, isOwn: Bool)
    }

    private let cooperator: Cooperator
    private nonisolated let site: (file: StaticString, line: UInt)
    /// Makes a step. Let go of at the end, with what it iterates.
    private var makeStep: (@ReactorActor () throws -> Step)?
    /// What is bound where the task was made, to be bound in the next step.
    private var locals = TaskLocalSnapshot.capture()

    private var pauseCount = 0
    private var isStepping = false
    private var pending: (outcome: any PendingOutcome, isOwn: Bool)?
    private var isCancelled = false
    /// Why the task makes no further step, and what it came to.
    private var end: (code: CooperatorError.Code, result: Result<Void, any Error>)?
    private var watchers: [Deferred<Void>] = []
    /// A failure that nobody has asked for: reported when the task goes.
    private var unseen: Deferred<Void>?

    /// Kept by the cooperator: in its line of those to make a step.
    var isInLine = false
    /// Kept by the cooperator: its tasks in the order they were made.
    let number: UInt64

    init(
        _ cooperator: Cooperator, number: UInt64, _ file: StaticString, _ line: UInt,
        _ makeStep: @escaping @ReactorActor () throws -> Step
    ) {
        self.cooperator = cooperator
        self.number = number
        site = (file, line)
        self.makeStep = makeStep
    }

    /// Whether the task has ended: all steps made, stopped, or failed.
    public var isDone: Bool { end != nil }

    /// Whether more `pause()` than `resume()` were called.
    public var isPaused: Bool { pauseCount > 0 }

    // MARK: Control

    /// Makes no further step until as many `resume()` have been called as `pause()`.
    ///
    /// - Throws: `CooperatorError` with code `taskDone`, `taskStopped`, `taskFailed` or `schedulerStopped` when the task
    ///   has ended.
    /// - Complexity: O(n) of the cooperator's tasks.
    public func pause() throws(CooperatorError) {
        try checkActive("pause()")
        pauseCount += 1
        cooperator.leaveLine(self)
    }

    /// Takes one `pause()` back. The next step comes in its turn, once the Deferred is there that the task may wait for.
    ///
    /// Does nothing more for a task that has ended.
    /// - Throws: `CooperatorError` with code `notPaused` when the task is not paused.
    public func resume() throws(CooperatorError) {
        guard pauseCount > 0 else {
            throw CooperatorError(.notPaused, "resume() of \(self), which is not paused")
        }
        pauseCount -= 1
        lineUp()
    }

    /// Ends the task; those who wait for it get `CooperatorError` with code `taskStopped`.
    ///
    /// A Deferred that it waits for is left alone; a step that is an `async` function is cancelled.
    /// - Throws: `CooperatorError` as `pause()`.
    public func stop() throws(CooperatorError) {
        try checkActive("stop()")
        let error = CooperatorError(.taskStopped, "\(self) was stopped")
        finish(.taskStopped, .failure(error))
    }

    /// Fires when the task has ended: with nothing when all steps were made, with the error of the step that failed, or
    /// with `CooperatorError` of code `taskStopped` or `schedulerStopped`.
    ///
    /// A Deferred of its own for each call. An error that nobody ever asks for is reported as unhandled.
    public func whenDone(file: StaticString = #fileID, line: UInt = #line) -> Deferred<Void> {
        if let unseen = unseen.take() { return unseen }
        let deferred = Deferred<Void>(file: file, line: line)
        watch(deferred)
        return deferred
    }

    /// As `whenDone`, but cancelling the Deferred ends the task, and what it waits for.
    func whenDoneOrCancelled() -> Deferred<Void> {
        // Weak: the task holds the Deferred; the cooperator holds the task.
        let deferred = Deferred<Void>(
            awaitingCancel: { [weak self] in self?.cancel() }, file: site.file, line: site.line)
        watch(deferred)
        return deferred
    }

    private func watch(_ deferred: Deferred<Void>) {
        if let end {
            // Cannot throw: it is fresh.
            try? deferred.fire(with: end.result, file: site.file, line: site.line)
        } else {
            watchers.append(deferred)
        }
    }

    private func checkActive(_ operation: String) throws(CooperatorError) {
        guard let end else { return }
        var underlying: (any Error)?
        if end.code == .taskFailed, case .failure(let error) = end.result { underlying = error }
        throw CooperatorError(
            end.code, "\(operation) of \(self), which has ended: \(end.code)", underlying: underlying)
    }

    // MARK: Steps

    /// Asks for a turn, if the task can make a step.
    func lineUp() {
        if end == nil, pauseCount == 0, pending == nil, !isStepping { cooperator.joinLine(self) }
    }

    /// Makes one step.
    func step() {
        guard let locals else { return stepInContext() }
        locals.run {
            // Used up: another one for the next step, while the values are bound.
            self.locals = .capture()
            stepInContext()
        }
    }

    private func stepInContext() {
        guard let makeStep else { return }
        isStepping = true
        let result = Result { try makeStep() }
        isStepping = false
        // The step may have stopped the task it belongs to.
        guard end == nil else { return }
        switch result {
        case .success(.exhausted): finish(.taskDone, .success(()))
        case .success(.made): lineUp()
        case .success(.pending(let outcome, let isOwn)): wait(for: outcome, isOwn: isOwn)
        case .failure(let error): finish(.taskFailed, .failure(error))
        }
    }

    private func wait(for outcome: any PendingOutcome, isOwn: Bool) {
        pending = (outcome, isOwn)
        outcome.whenOver(site.file, site.line) { [self] error in
            pending = nil
            guard end == nil else { return }
            if isCancelled {
                finishCancelled(with: error)
            } else if let error {
                finish(.taskFailed, .failure(error))
            } else {
                lineUp()
            }
        }
    }

    // MARK: The end

    private func cancel() {
        guard end == nil else { return }
        isCancelled = true
        if let pending {
            pending.outcome.cancel()
        } else {
            finishCancelled(with: nil)
        }
    }

    private func finishCancelled(with error: (any Error)?) {
        finish(
            .taskStopped, .failure(error ?? DeferredError(.cancelled, "the end of \(self) was cancelled")))
    }

    /// Ends the task because its cooperator was stopped.
    func stopWithCooperator() {
        let error = CooperatorError(.schedulerStopped, "\(self) was ended by its cooperator's stop()")
        finish(.schedulerStopped, .failure(error))
    }

    private func finish(_ code: CooperatorError.Code, _ result: Result<Void, any Error>) {
        end = (code, result)
        let steps = makeStep.take()
        cooperator.forget(self)
        // Let go of: what it waits for may never come, and holds the task, as the task holds it.
        if let pending = pending.take(), pending.isOwn { pending.outcome.cancel() }
        if code == .taskFailed, watchers.isEmpty, case .failure(let error) = result {
            unseen = .fail(error, file: site.file, line: site.line)
        }
        let watchers = watchers
        self.watchers = []
        // Last: callbacks may do anything, stop the cooperator too. None can throw: a watcher that was cancelled
        // ignores one call.
        for watcher in watchers { try? watcher.fire(with: result, file: site.file, line: site.line) }
        withExtendedLifetime(steps) {}
    }
}

extension CooperativeTask: CustomStringConvertible {
    /// `the cooperative task made at Module/File.swift:12`.
    public nonisolated var description: String {
        "the cooperative task made at \(CallSite(site.file, site.line))"
    }
}
