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

    @exclusivity(unchecked) private var stages = StageQueue()
    @exclusivity(unchecked) private var runningSite: CallSite
    @exclusivity(unchecked) private var pauseCount: UInt32 = 0
    @exclusivity(unchecked) private var isRunning = false
    @exclusivity(unchecked) @usableFromInline private(set) var isCalled = false
    private var ignoresNextCall = false
    /// Another chain waits for this one.
    private var hasOuter = false
    /// The chain this one waits for.
    private var inner: DeferredChain?
    private var canceller: Canceller?

    /// The type that the last stage leaves, to catch the use of a handle whose chain has moved on.
    @exclusivity(unchecked) @usableFromInline var valueType: Any.Type
    /// The type of the value it is fired with.
    @usableFromInline let inputType: Any.Type
    let madeAt: CallSite
    /// Where `valueType` changed last.
    @exclusivity(unchecked) @usableFromInline var changedAt: CallSite
    private var debugging: DeferredDebugging.Record?

    @usableFromInline typealias Words = (UInt, UInt, UInt, UInt)

    /// How the work behind an unfired chain is told to end.
    enum Canceller {
        /// Called once; the chain then fires at once, with the canceller's own outcome or with `cancelled`.
        case immediate(@ReactorActor () -> Void)
        /// Called once; the work ends in its own time and fires the chain then, so that its clean-up is awaited.
        case awaited(@ReactorActor () -> Void)
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
        if let storedType { Self.release(storedType, &words) }
        // What the stages hold may be the last reference to the next chain of thousands: freed from a list, not by
        // recursion.
        if !stages.isEmpty { Graveyard.bury(stages.takeAll()) }
    }

    // MARK: State

    var isPaused: Bool { pauseCount > 0 }
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
            var message = "the Deferred made at \(madeAt) has already been called back"
            message += ", and again at \(site)"
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

    // MARK: Waiting for another chain

    /// Takes over the outcome of `other`, now or when it is there. `other` carries Void from then on.
    @ReactorActor @usableFromInline func wait<Value>(for other: DeferredChain, _: Value.Type) {
        other.check(carries: Value.self, at: runningSite)
        if other === self || (hasOuter && other.waits(for: self)) {
            let error = DeferredError(
                .circularChain,
                "the callback added at \(runningSite) returned a Deferred, made at \(other.madeAt), "
                    + "that waits for this one, made at \(madeAt): neither could ever go on")
            return set(error, trail: [runningSite])
        }
        other.hasOuter = true
        other.valueType = Void.self
        other.changedAt = runningSite
        if other.isSettled {
            takeOver(from: other, Value.self, wasWaiting: false)
        } else {
            pauseCount += 1
            inner = other
            other.stages.append(
                DeferredStage(
                    StageBody<Void, DeferredChain> { self }, runningSite, StageRunners.handOver(Value.self)))
        }
    }

    private func waits(for chain: DeferredChain) -> Bool {
        var next = inner
        while let other = next {
            if other === chain { return true }
            next = other.inner
        }
        return false
    }

    func takeOver<Value>(from other: DeferredChain, _: Value.Type, wasWaiting: Bool = true) {
        if wasWaiting {
            inner = nil
            pauseCount -= 1
        }
        if other.content == .failure {
            let trail = other.failureTrail
            set(other.takeFailure(), trail: trail + [runningSite])
        } else {
            put(other.take(Value.self))
        }
        other.put(())
    }

    // MARK: Cancellation

    func setCanceller(_ canceller: Canceller) { if !isCalled { self.canceller = canceller } }

    /// Cancels what the outcome is waiting for: the innermost Deferred when there is one, else the work behind this.
    @ReactorActor func cancel() {
        var target = self
        while target.isCalled {
            guard let inner = target.inner else { return }
            target = inner
        }
        target.cancelWork()
    }

    @ReactorActor private func cancelWork() {
        switch canceller {
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
                failure: DeferredError(.cancelled, "the Deferred made at \(madeAt) was cancelled"), madeAt)
        }
    }

    // MARK: Failures

    func set(_ error: any Error, trail: [CallSite]) {
        if let failure = error as? Failure {
            self.failure = failure.error
            self.trail = failure.sites + trail
        } else {
            failure = error
            self.trail = trail
        }
        isFailureSeen = false
        content = .failure
    }

    /// The running stage threw `error`.
    @usableFromInline func fail(_ error: any Error) { set(error, trail: [runningSite]) }

    /// The running stage, which was handling a failure, threw `error`.
    @usableFromInline func failAgain(_ error: any Error) { set(error, trail: failureTrail + [runningSite]) }

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
