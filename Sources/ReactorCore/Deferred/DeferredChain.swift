/// The untyped machine under `Deferred`: an outcome, and the stages it still has to pass.
///
/// Stages run synchronously inside `fire` or `append`, one after another in a loop, never by recursion:
/// neither a long chain nor Deferreds returned from callbacks deepen the stack.
@ReactorActor
final class DeferredChain {
    /// A value passed from stage to stage, boxed: the handles know its type.
    enum Outcome {
        case success(AnyObject)
        case failure(any Error)
    }

    /// What a stage answers.
    enum Step {
        case outcome(Outcome)
        /// Wait for that chain and take over its outcome.
        case wait(DeferredChain)
    }

    /// How the work behind an unfired chain is told to end.
    enum Canceller {
        /// Called once; the chain then fires at once, with the canceller's own outcome or with `cancelled`.
        case immediate(@ReactorActor () -> Void)
        /// Called once; the work ends in its own time and fires the chain then, so that its clean-up is
        /// awaited.
        case awaited(@ReactorActor () -> Void)
    }

    private enum Stage {
        case transform(@ReactorActor (Outcome) -> Step)
        /// Hand the outcome to a chain whose callback returned this one, and keep nothing.
        case resume(DeferredChain)
    }

    private var value: AnyObject?
    /// Kept apart from `value` so that `deinit`, which may run on any thread, can report it.
    private var failure: (any Error)?
    private var stages: [Stage] = []
    private var nextStage = 0
    private var pauseCount = 0
    private var isRunning = false
    private var inner: DeferredChain?
    private(set) var isCalled = false
    private var ignoresNextCall = false
    var canceller: Canceller?
    /// The type of the last stage's value, to catch the use of a handle whose chain has moved on.
    var valueType: Any.Type
    /// The type of the value it is fired with.
    let inputType: Any.Type
    let file: StaticString
    let line: UInt

    init(valueType: Any.Type, file: StaticString, line: UInt) {
        self.valueType = valueType
        inputType = valueType
        self.file = file
        self.line = line
    }

    deinit {
        // Any thread. Reporting only formats and logs.
        if let failure, !(failure is CancellationError || failure is any QuietError) {
            UnhandledErrors.report(failure, file, line)
        }
        // What the stages hold may be the last reference to the next chain of thousands: freed from a list,
        // not by recursion.
        if nextStage < stages.count { Graveyard.bury(&stages) }
    }

    var isPaused: Bool { pauseCount > 0 }
    private var hasOutcome: Bool { value != nil || failure != nil }
    private var isSettled: Bool { hasOutcome && pauseCount == 0 && !isRunning && nextStage == stages.count }

    func fire(_ outcome: Outcome) throws(DeferredError) {
        guard !isCalled else {
            if ignoresNextCall {
                ignoresNextCall = false
                return
            }
            throw DeferredError(
                .alreadyCalled, "the Deferred made at \(file):\(line) has already been called back")
        }
        isCalled = true
        canceller = nil
        set(outcome)
        Self.run(self)
    }

    func append(_ transform: @escaping @ReactorActor (Outcome) -> Step) {
        stages.append(.transform(transform))
        Self.run(self)
    }

    func pause() { pauseCount += 1 }

    func unpause() {
        precondition(pauseCount > 0, "unpause() without pause() on the Deferred made at \(file):\(line)")
        pauseCount -= 1
        Self.run(self)
    }

    /// Cancels what the outcome is waiting for: the inner Deferred when there is one, else the work behind
    /// this one.
    func cancel() {
        if !isCalled {
            let cancel = canceller
            switch cancel {
            case .awaited(let cancel):
                cancel()
                return
            case .immediate(let cancel):
                canceller = nil
                cancel()
            case nil: ignoresNextCall = true
            }
            if !isCalled {
                // Cannot throw: nobody has called back.
                try? fire(
                    .failure(DeferredError(.cancelled, "the Deferred made at \(file):\(line) was cancelled")))
            }
        } else {
            inner?.cancel()
        }
    }

    private func set(_ outcome: Outcome) {
        switch outcome {
        case .success(let value): (self.value, failure) = (value, nil)
        case .failure(let error): (value, failure) = (nil, error)
        }
    }

    private func take() -> Outcome {
        defer { (value, failure) = (nil, nil) }
        if let failure { return .failure(failure) }
        return .success(value!)
    }

    /// Runs stages until `first`, and every chain that its end sets going, waits or has none left.
    private static func run(_ first: DeferredChain) {
        var current = first
        var waiting: [DeferredChain] = []
        while true {
            guard current.hasOutcome, current.pauseCount == 0, !current.isRunning,
                current.nextStage < current.stages.count
            else {
                guard let next = waiting.popLast() else { return }
                current = next
                continue
            }
            let stage = current.stages[current.nextStage]
            current.nextStage += 1
            if current.nextStage == current.stages.count {
                current.stages.removeAll(keepingCapacity: true)
                current.nextStage = 0
            }
            switch stage {
            case .resume(let outer):
                outer.set(current.take())
                current.set(.success(Box.void))
                outer.inner = nil
                outer.pauseCount -= 1
                waiting.append(current)
                current = outer
            case .transform(let transform):
                let outcome = current.take()
                // While the stage runs there is no outcome: what is appended meanwhile waits its turn.
                current.isRunning = true
                let step = transform(outcome)
                current.isRunning = false
                switch step {
                case .outcome(let outcome): current.set(outcome)
                case .wait(let inner): current.wait(for: inner)
                }
            }
        }
    }

    private func wait(for other: DeferredChain) {
        if other === self {
            set(
                .failure(
                    DeferredError(
                        .circularChain,
                        "a callback returned its own Deferred, the one made at \(file):\(line)")))
        } else if other.isSettled {
            set(other.take())
            other.set(.success(Box.void))
            other.valueType = Void.self
        } else {
            pauseCount += 1
            inner = other
            other.valueType = Void.self
            other.stages.append(.resume(self))
        }
    }

    /// A value on the heap. The handles cast back without a check: `valueType` was compared when the stage
    /// was added.
    final class Box<Value> {
        let value: Value
        init(_ value: Value) { self.value = value }
    }
}

extension DeferredChain.Box where Value == Void {
    /// What is left in a chain whose outcome another has taken over. Immutable, so shared.
    static var void: DeferredChain.Box<Void> { DeferredChain.Box(()) }
}

/// An error that says that its work was told to end: nobody need hear of it.
package protocol QuietError: Error {}
