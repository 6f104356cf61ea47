/// The machine under `Deferred`: an outcome, and the stages it still has to pass.
///
/// Reactor only, as all that reaches it (`Deferred`) is; only `deinit` may run on another thread. It is not isolated as
/// a whole, because the compiler puts a check at the start of each isolated closure that goes to a function of the
/// standard library, and such a check costs as much as a callback.
///
/// Stages run synchronously inside `fire` or `append`, one after another in a loop, never by recursion: neither a
/// long chain nor Deferreds returned from callbacks deepen the stack.
///
/// **Values are kept untyped.** The stages know the types of what they take and leave; the chain compares, when a
/// stage is added, the type its handle promises with the type the stage before it leaves (`valueType`). A value of at
/// most four words lies in the chain itself, a larger one in a box. `exclusivity(unchecked)`: these fields are used in
/// straight-line accesses only, never while user code runs inside one; checking them took a third of a callback's time.
@usableFromInline
final class DeferredChain: @unchecked Sendable {
    @usableFromInline enum Content: UInt8 { case nothing, value, failure }

    /// Which kind of outcome is here. Nothing: unfired, or a stage has taken it, or another chain holds it.
    @exclusivity(unchecked) @usableFromInline var content = Content.nothing
    /// The value's bytes, or a box.
    @exclusivity(unchecked) @usableFromInline var words: Words = (0, 0, 0, 0)
    /// The type of the value in `words` when something must be done to release it.
    @exclusivity(unchecked) @usableFromInline var storedType: Any.Type?
    private var failure: (any Error)?
    /// Where the failure was raised and the chains it went through; kept while an errback handles it.
    private var trail: [CallSite]?
    /// A task has seen the failure, which stays for others: it is not unhandled.
    var isFailureSeen = false

    @exclusivity(unchecked) var stages = StageQueue()
    @exclusivity(unchecked) var runningSite: CallSite
    @exclusivity(unchecked) var pauseCount: UInt32 = 0
    @exclusivity(unchecked) private var isRunning = false
    @exclusivity(unchecked) @usableFromInline var isCalled = false
    var ignoresNextCall = false
    /// The chain this one waits for.
    var wait: Wait?
    /// What makes the chains that wait for this one live on.
    var holds: [Hold]?
    var canceller: Canceller?

    /// The type that the last stage leaves, to catch the use of a handle whose chain has moved on.
    @exclusivity(unchecked) @usableFromInline var valueType: Any.Type
    /// The type of the value it is fired with.
    @usableFromInline let inputType: Any.Type
    let madeAt: CallSite
    /// Where `valueType` changed last.
    @exclusivity(unchecked) @usableFromInline var changedAt: CallSite
    var debugging: DeferredDebugging.Record?

    @usableFromInline typealias Words = (UInt, UInt, UInt, UInt)

    /// How the work behind an unfired chain is told to end.
    enum Canceller {
        /// Called once; the chain then fires at once, with the canceller's own outcome or with `cancelled`.
        case immediate(@ReactorActor (DeferredChain) -> Void)
        /// The work ends in its own time and fires the chain then, so that its clean-up is awaited. Called once for
        /// each `cancel()` until then.
        case awaited(@ReactorActor (DeferredChain) -> Void)
    }

    @usableFromInline init(_ valueType: Any.Type, _ madeAt: CallSite) {
        self.valueType = valueType
        inputType = valueType
        self.madeAt = madeAt
        changedAt = madeAt
        runningSite = madeAt
        if DeferredDebugging.isEnabled { debugging = DeferredDebugging.Record() }
    }

    deinit {
        // Any thread. Reporting only formats and logs.
        if let failure, !isFailureSeen, !(failure is CancellationError || failure is any QuietError) {
            UnhandledErrors.report(Failure(failure, trail: trail ?? []), madeAt, debugging)
        }
        // What is held here may be the last reference to the next chain of thousands: freed from a list, not by
        // recursion.
        if let holds, canGoOn, let first = holds.firstIndex(where: { $0.outer != nil }) {
            return passOn(to: holds[first], holds)
        }
        if let storedType { Self.release(storedType, &words) }
        guard !stages.isEmpty || canceller != nil || wait != nil else { return }
        Graveyard.bury { queue in
            if !stages.isEmpty { queue.append(.stages(stages.takeAll())) }
            if let canceller { queue.append(.canceller(canceller)) }
            canceller = nil
            if let wait { queue.append(.object(wait)) }
            wait = nil
        }
    }

    // MARK: State

    var isPaused: Bool { pauseCount > 0 || wait != nil }
    @usableFromInline var isSettled: Bool {
        content != .nothing && pauseCount == 0 && !isRunning && stages.isEmpty
    }

    // MARK: Fire

    @usableFromInline func prepareToFire(_ site: CallSite) throws(DeferredError) -> Bool {
        guard !isCalled else {
            if ignoresNextCall {
                ignoresNextCall = false
                return false
            }
            var message = "the Deferred made at \(madeAt) has already been called back, and again at \(site)"
            if let debugging { message += "; \(debugging)" }
            throw DeferredError(.alreadyCalled, message)
        }
        isCalled = true
        if canceller != nil { canceller = nil }
        debugging?.note("fired at", site)
        return true
    }

    @ReactorActor @inlinable func fire<Value>(_ value: Value, _ site: CallSite) throws(DeferredError) {
        guard try prepareToFire(site) else { return }
        put(value)
        Self.run(self)
    }

    @ReactorActor @usableFromInline func fire(failure: any Error, _ site: CallSite) throws(DeferredError) {
        guard try prepareToFire(site) else { return }
        set(failure, trail: [site])
        Self.run(self)
    }

    // MARK: Stages

    /// Adds a stage and runs it when it can run now.
    @ReactorActor @usableFromInline func append(_ stage: consuming DeferredStage) {
        var stage = stage
        stage.captureTaskLocals()
        debugging?.note("given a callback at", stage.site)
        stages.append(stage)
        if content != .nothing { Self.run(self) }
    }

    func pause() { pauseCount += 1 }

    @ReactorActor func unpause() {
        precondition(pauseCount > 0, "unpause() without pause() on the Deferred made at \(madeAt)")
        pauseCount -= 1
        Self.run(self)
    }

    /// Runs stages until `chain`, and every chain that its end sets going, waits or has none left.
    @ReactorActor @usableFromInline static func run(_ chain: DeferredChain) {
        while chain.canRun {
            if let resumed = chain.step() { return run([chain, resumed]) }
        }
    }

    @ReactorActor @inline(never) private static func run(_ chains: [DeferredChain]) {
        var chains = chains
        while let chain = chains.popLast() {
            while chain.canRun {
                if let resumed = chain.step() {
                    chains += [chain, resumed]
                    break
                }
            }
        }
    }

    @inline(__always) private var canRun: Bool {
        content != .nothing && pauseCount == 0 && !isRunning && !stages.isEmpty
    }

    /// Runs one stage. Returns a chain that can go on now.
    @ReactorActor @inline(__always) private func step() -> DeferredChain? {
        let stage = stages.next()
        // While the stage runs, what is appended waits its turn.
        isRunning = true
        runningSite = stage.site
        let resumed = stage.run(on: self)
        isRunning = false
        return resumed
    }

    // MARK: Failures

    func set(_ error: any Error, trail: [CallSite]) {
        if let failure = error as? Failure {
            self.failure = failure.error
            self.trail = trail.reduce(failure.sites) { $0.followed(by: $1) }
        } else {
            failure = error
            self.trail = trail
        }
        isFailureSeen = false
        content = .failure
    }

    /// The running stage threw `error`.
    @usableFromInline func fail(_ error: any Error) { set(error, trail: [runningSite]) }

    /// The running stage, which was handling a failure, threw `error`. A `Failure` brings its way along.
    @usableFromInline func failAgain(_ error: any Error) {
        set(error, trail: error is Failure ? [runningSite] : failureTrail.followed(by: runningSite))
    }

    /// Takes the failure out; its trail stays for who handles it.
    @usableFromInline func takeFailure() -> any Error {
        content = .nothing
        defer { failure = nil }
        return failure!
    }

    /// The failure that is here.
    var currentFailure: (any Error)? { failure }

    var hasPendingStages: Bool { !stages.isEmpty }

    /// Where the failure that is here, or that the running errback handles, came from.
    var failureTrail: [CallSite] { trail ?? [] }

    // MARK: Types

    /// Checks that the chain's next stage will be given a `Value`: stages cast without looking.
    @inlinable func check<Value>(carries type: Value.Type, at site: CallSite) {
        if valueType != type { rejectHandle(of: type, at: site) }
    }

    @usableFromInline func rejectHandle(of type: Any.Type, at site: CallSite) -> Never {
        preconditionFailure(
            """
            the Deferred made at \(madeAt) carries \(valueType) since \(changedAt), and at \(site) a handle for \(type) \
            was used: chain on the handle that the last add… returned, and return a Deferred from one callback only
            """)
    }
}
