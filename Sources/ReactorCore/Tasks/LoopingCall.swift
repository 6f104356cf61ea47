/// Something done again and again at a fixed interval: Twisted's LoopingCall.
///
/// ```swift
/// let heartbeat = LoopingCall(reactor) { connection.send("ping") }
/// heartbeat.start(every: .seconds(30)).addErrback { print("no heart beat any more: \($0)") }
/// heartbeat.stop()
/// ```
/// Calls are due at whole multiples of the interval after `start`, so they do not drift. One call at a time: a body that
/// takes longer, because it is slow or because the Deferred it returns or the `async` work it does is, misses the
/// instants that pass meanwhile and goes on at the next one to come. An error ends the loop and fails the Deferred that
/// `start` returned.
///
/// Task-local values bound at `start` are bound in every call. Dropping the last reference does not stop a loop that
/// runs. Reactor only.
@ReactorActor
public final class LoopingCall {
    /// Calls the body, told how many calls were due; what it returns is waited for.
    private typealias Body = @ReactorActor (Int) throws -> (any PendingOutcome)?

    private unowned let reactor: Reactor
    private let body: Body
    private let isCounting: Bool

    /// Whether calls are to come. False by the time the Deferred of `start` fires, and from `stop()` on.
    public private(set) var isRunning = false

    /// The time between two calls; zero before the first `start`. One that is set meanwhile counts from the next call on.
    ///
    /// - Precondition: It is not negative.
    public var interval = Duration.zero {
        willSet { precondition(newValue >= .zero, "interval = \(newValue): an interval cannot be negative") }
    }

    private var startedAt = ReactorInstant(nanoseconds: 0)
    private var callsAtOnce = false
    /// When calls were counted last.
    private var countedAt: ReactorInstant?
    private var site: (file: StaticString, line: UInt) = (#fileID, #line)
    private var place: CallSite { CallSite(site.file, site.line) }

    // While the loop runs exactly one of the three holds: a call is due later, the body runs, its Deferred is waited for.
    private var next: DelayedCall?
    private var pending: (any PendingOutcome)?
    /// What `start` returned, until it fires.
    private var end: Deferred<Void>?
    /// `end` was cancelled.
    private var isCancelled = false

    private init(_ reactor: Reactor, isCounting: Bool, _ body: @escaping Body) {
        self.reactor = reactor
        self.isCounting = isCounting
        self.body = body
    }

    /// A loop around `body`, which `start` starts. A Deferred that `body` returns delays the next call until it has
    /// fired; anything else it returns is dropped.
    public convenience init<Value>(
        _ reactor: Reactor = .current, _ body: @escaping @ReactorActor () throws -> Value
    ) {
        self.init(reactor, isCounting: false) { _ in try body() as? any PendingOutcome }
    }

    /// A loop around `body`, which runs as a task on the reactor; the next call comes when it has ended.
    public convenience init(
        _ reactor: Reactor = .current, _ body: @escaping @ReactorActor () async throws -> Void
    ) {
        self.init(reactor, isCounting: false) { [unowned reactor] _ in
            Deferred(async: { try await body() }, on: reactor)
        }
    }

    /// A loop whose body is told how many calls were due since the last one: one, and one more for each that was missed.
    /// Of interval zero, always one.
    ///
    /// For what must catch up, as an animation with its frames. The body is not called when none was due, as after the
    /// interval was made longer.
    public static func withCount<Value>(
        _ reactor: Reactor = .current, _ body: @escaping @ReactorActor (_ count: Int) throws -> Value
    ) -> LoopingCall {
        LoopingCall(reactor, isCounting: true) { count in try body(count) as? any PendingOutcome }
    }

    /// A loop whose body, which runs as a task on the reactor, is told how many calls were due.
    public static func withCount(
        _ reactor: Reactor = .current, _ body: @escaping @ReactorActor (_ count: Int) async throws -> Void
    ) -> LoopingCall {
        LoopingCall(reactor, isCounting: true) { [unowned reactor] count in
            Deferred(async: { try await body(count) }, on: reactor)
        }
    }

    // MARK: Start and stop

    /// Starts the loop. Never waits, but for the body's first call, which `now` makes before this returns.
    ///
    /// The Deferred fires when the loop has been stopped and no call is under way, and fails when a call does: with that
    /// error, even if `stop()` was called before. Cancelling it stops the loop and cancels what a call waits for; it
    /// fails with `DeferredError.cancelled`, or what the call made of that, when that is over. Interval zero calls in
    /// every turn of the reactor. A loop that ended can be started again.
    /// - Parameter now: make the first call at once, not an interval later.
    /// - Precondition: `interval` is not negative, the loop does not run, and its last call has ended.
    @discardableResult
    public func start(
        every interval: Duration, now: Bool = true, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Void> {
        precondition(
            interval >= .zero, "start(every: \(interval)) at \(file):\(line): an interval cannot be negative")
        precondition(
            !isRunning,
            "start(every:) at \(file):\(line) of a LoopingCall that runs since \(place): stop() it first")
        precondition(
            end == nil,
            "start(every:) at \(file):\(line) of a LoopingCall stopped in a call that has not ended: wait for the "
                + "Deferred of the start at \(place)")
        site = (file, line)
        self.interval = interval
        isRunning = true
        isCancelled = false
        startedAt = reactor.now
        callsAtOnce = now
        countedAt = nil
        // Weak: the loop holds the Deferred. It is held itself while it runs.
        let end = Deferred<Void>(awaitingCancel: { [weak self] in self?.cancel() }, file: file, line: line)
        self.end = end
        if now { call() } else { scheduleNext() }
        return end
    }

    /// Makes no further call; does nothing when the loop does not run. Never waits.
    ///
    /// The Deferred of `start` fires now, or when the call under way ends.
    public func stop() {
        isRunning = false
        guard let next = next.take() else { return }
        next.cancelIfActive()
        finish(.success(()))
    }

    /// Begins the interval anew: the next call comes a whole interval from now. Never waits.
    ///
    /// Does nothing while a call is under way or when the loop does not run.
    public func reset() {
        guard let next else { return }
        startedAt = reactor.now
        // Moved, not made anew: it keeps the task-local values of the loop. Cannot throw: it is active.
        try? next.reset(after: delayOfNext(at: startedAt))
    }

    private func cancel() {
        isRunning = false
        isCancelled = true
        if let next = next.take() {
            next.cancelIfActive()
            finish(.success(()))
        } else {
            pending?.cancel()
        }
    }

    private func finish(_ result: Result<Void, any Error>) {
        guard let end = end.take() else { return }
        var result = result
        if isCancelled, case .success = result {
            result = .failure(DeferredError(.cancelled, "the LoopingCall started at \(place) was cancelled"))
        }
        // Cannot throw: it has not fired.
        try? end.fire(with: result, file: site.file, line: site.line)
    }

    // MARK: Calls

    private func call() {
        next = nil
        guard let count = countCalls() else { return callEnded(nil) }
        do {
            guard let outcome = try body(count) else { return callEnded(nil) }
            pending = outcome
            if isCancelled { outcome.cancel() }
            outcome.whenOver(site.file, site.line) { [self] error in
                pending = nil
                callEnded(error)
            }
        } catch { callEnded(error) }
    }

    private func callEnded(_ error: (any Error)?) {
        if let error {
            isRunning = false
            finish(.failure(error))
        } else if isRunning {
            scheduleNext()
        } else {
            finish(.success(()))
        }
    }

    private func scheduleNext() {
        let delay = delayOfNext(at: reactor.now)
        next = reactor.callLater(delay, { [self] in call() }, file: site.file, line: site.line)
    }

    /// How long from `now` to the next multiple of the interval that is in the future: an instant that is now has been
    /// used or missed.
    private func delayOfNext(at now: ReactorInstant) -> Duration {
        let interval = interval.wholeNanoseconds
        guard interval > 0 else { return .zero }
        return .nanoseconds(interval - startedAt.duration(to: now).wholeNanoseconds % interval)
    }

    /// How many calls were due since the last count. Nil when none was.
    private func countCalls() -> Int? {
        guard isCounting else { return 1 }
        let now = reactor.now
        let interval = interval.wholeNanoseconds
        guard interval > 0 else {
            countedAt = now
            return 1
        }
        func number(_ instant: ReactorInstant) -> Int64 {
            startedAt.duration(to: instant).wholeNanoseconds / interval
        }
        let count = number(now) - (countedAt.map(number) ?? (callsAtOnce ? -1 : 0))
        guard count > 0 else { return nil }
        countedAt = now
        return Int(count)
    }
}
