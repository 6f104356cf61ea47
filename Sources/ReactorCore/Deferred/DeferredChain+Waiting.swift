/// A chain that waits and the one it waits for need each other: the inner one takes the outer one on, the outer one
/// passes a `cancel()` on. Held strongly both ways, neither would ever be freed when nobody fires the inner one. So the
/// inner one holds the outer one (`Hold`), which knows the inner one weakly (`Wait`). When the last reference to an
/// inner chain goes, nobody can fire it any more, but it can still be cancelled: its canceller and its callbacks move to
/// an heir, which an outer chain owns until it is cancelled, or goes, too.
extension DeferredChain {
    /// The way from a chain that waits, or a list, to an inner chain.
    final class Wait {
        weak var inner: DeferredChain?
        /// In the place of `inner`, when that is gone. Nothing runs on it before it is awake.
        var heir: DeferredChain?

        init(_ inner: DeferredChain) { self.inner = inner }

        /// The inner chain, which may wake its outer one up from now on. Nil when nothing of it is left.
        func awaken(for outer: DeferredChain) -> DeferredChain? {
            if let inner { return inner }
            guard let heir else { return nil }
            self.heir = nil
            inner = heir
            for hold in heir.holds ?? [] where hold.wait === self { hold.outer = outer }
            return heir
        }
    }

    /// The way back. Without its chain once that has been told, and while an heir is asleep.
    final class Hold {
        var outer: DeferredChain?
        fileprivate weak var wait: Wait?

        fileprivate init(_ outer: DeferredChain, _ wait: Wait) {
            self.outer = outer
            self.wait = wait
        }
    }

    /// Makes `outer` live as long as this chain, until the hold is let go.
    func link(to outer: DeferredChain) -> (Wait, Hold) {
        let wait = Wait(self)
        let hold = Hold(outer, wait)
        holds = (holds ?? []).filter { $0.outer != nil } + [hold]
        return (wait, hold)
    }

    // MARK: Release

    /// Whether a cancellation could still do something here. On other threads nothing is moved any more.
    var canGoOn: Bool { (!isCalled || wait != nil) && Reactor.ofThisThread != nil }

    /// Gives what is left, in `deinit`, to a chain that waits for this one; others that do will find it there.
    func passOn(to first: Hold, _ holds: [Hold]) {
        let heir = DeferredChain(inputType, madeAt)
        heir.stages = stages
        heir.canceller = canceller
        heir.wait = wait
        heir.holds = holds
        heir.isCalled = isCalled
        heir.pauseCount = pauseCount
        heir.runningSite = runningSite
        heir.valueType = valueType
        heir.changedAt = changedAt
        heir.debugging = debugging
        for hold in holds where hold.outer != nil { hold.wait?.inner = heir }
        first.wait?.heir = heir
        first.wait?.inner = nil
        Graveyard.bury { queue in
            if let outer = first.outer { queue.append(.object(outer)) }
            first.outer = nil
        }
    }

    // MARK: A Deferred returned from a callback

    /// Takes over the outcome of `other`, now or when it is there. `other` carries Void from then on.
    @ReactorActor @usableFromInline func wait<Value>(for other: DeferredChain, _: Value.Type) {
        other.check(carries: Value.self, at: runningSite)
        if other === self || (holds != nil && other.waits(for: self)) {
            let error = DeferredError(
                .circularChain,
                "the callback added at \(runningSite) returned a Deferred, made at \(other.madeAt), "
                    + "that waits for this one, made at \(madeAt): neither could ever go on")
            return set(error, trail: [runningSite])
        }
        other.valueType = Void.self
        other.changedAt = runningSite
        if other.isSettled { return takeOver(from: other, Value.self) }
        let (wait, hold) = other.link(to: self)
        self.wait = wait
        other.stages.append(
            DeferredStage(
                StageBody<Void, DeferredChain?> {
                    defer { hold.outer = nil }
                    return hold.outer
                }, runningSite, StageRunners.handOver(Value.self)))
    }

    private func waits(for chain: DeferredChain) -> Bool {
        var next = wait
        while let other = next?.inner ?? next?.heir {
            if other === chain { return true }
            next = other.wait
        }
        return false
    }

    func takeOver<Value>(from other: DeferredChain, _: Value.Type) {
        wait = nil
        if other.content == .failure {
            let trail = other.failureTrail.followed(by: runningSite)
            set(other.takeFailure(), trail: trail)
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
            guard let wait = target.wait else { return }
            guard let inner = wait.awaken(for: target) else { return target.giveUpWaiting() }
            target = inner
        }
        target.cancelWork()
    }

    /// What this chain waits for is gone, and with it every other way to end the wait.
    @ReactorActor private func giveUpWaiting() {
        wait = nil
        set(cancellation, trail: [runningSite])
        Self.run(self)
    }

    var cancellation: DeferredError {
        DeferredError(.cancelled, "the Deferred made at \(madeAt) was cancelled")
    }

    @ReactorActor private func cancelWork() {
        switch canceller {
        case .awaited(let cancel):
            cancel(self)
            return
        case .immediate(let cancel):
            canceller = nil
            cancel(self)
        case nil: ignoresNextCall = true
        }
        // Cannot throw: nobody has called back.
        if !isCalled { try? fire(failure: cancellation, madeAt) }
    }
}
