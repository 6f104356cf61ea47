import DequeModule

/// Shares the reactor's thread among long tasks that are made of short steps: Twisted's Cooperator.
///
/// ```swift
/// let customers = AnyIterator((0..<15).lazy.map { install(for: $0) }.makeIterator())  // Deferreds, as asked for
/// let developers = (0..<5).map { _ in reactor.coiterate(customers) }                  // five at a time
/// DeferredList(developers).addCallback { _ in print("all done") }
/// ```
/// A task is a sequence, and a step is one `next()`. Tasks take turns, one step each, in the order they were added. A
/// step that comes to a Deferred, of whatever type, takes its task out of the line until that has fired; the outcome
/// stays in it, and a failure fails the task. Anything else a sequence yields is dropped, nil too. Tasks that iterate
/// *one* iterator, a class or an `AnyIterator`, share its elements: so many are in work at a time. A value is copied.
///
/// Steps run for `timeSlice` of real time at most, then the reactor gets a turn for everything else; a step once begun is
/// not interrupted. Task-local values bound where a task was added are bound in its steps. Tasks that have not ended are
/// held. Reactor only; nothing here waits.
@ReactorActor
public final class Cooperator {
    private enum State { case waitingForStart, running, stopped }

    private unowned let reactor: Reactor
    private var state: State
    /// How long steps run before the reactor goes on; zero for one step a turn.
    public let timeSlice: Duration

    /// Those who can make a step, next first.
    private var line = Deque<CooperativeTask>()
    /// All that have not ended, by their number.
    private var tasks: [UInt64: CooperativeTask] = [:]
    private var lastNumber: UInt64 = 0
    private var nextSlice: DelayedCall?
    private var isInSlice = false

    /// A cooperator with a line of its own: those of different ones do not take turns with each other. Most programs
    /// want `reactor.cooperator`.
    ///
    /// - Parameters:
    ///   - isStarted: false to collect tasks until `start()`.
    ///   - timeSlice: how long steps run before the reactor goes on.
    /// - Precondition: `timeSlice` is not negative.
    public init(
        on reactor: Reactor = .current, isStarted: Bool = true, timeSlice: Duration = .milliseconds(10)
    ) {
        precondition(timeSlice >= .zero, "Cooperator(timeSlice: \(timeSlice)): a slice cannot be negative")
        self.reactor = reactor
        self.timeSlice = timeSlice
        state = isStarted ? .running : .waitingForStart
    }

    /// Whether tasks make steps.
    public var isRunning: Bool { state == .running }

    /// How many tasks have not ended: in line, paused, or waiting for a Deferred.
    public var taskCount: Int { tasks.count }

    /// Lets tasks make steps, and takes new ones again after `stop()`.
    public func start() {
        state = .running
        schedule()
    }

    /// Ends every task, in the order they were added, and each new one at once: those who wait for one get
    /// `CooperatorError` with code `schedulerStopped`.
    public func stop() {
        state = .stopped
        // All at once: to look for each in the line would take its length squared.
        for task in line { task.isInLine = false }
        line.removeAll()
        nextSlice.take()?.cancelIfActive()
        for task in tasks.values.sorted(by: { $0.number < $1.number }) where !task.isDone {
            task.stopWithCooperator()
        }
    }

    // MARK: Tasks

    /// Adds a task whose steps are the elements of `steps`, of which none is asked for before this returns.
    ///
    /// On a cooperator that was stopped the task has ended at once.
    @discardableResult
    public func cooperate<Steps: Sequence>(
        _ steps: Steps, file: StaticString = #fileID, line: UInt = #line
    ) -> CooperativeTask {
        var iterator = steps.makeIterator()
        return add(file, line) {
            guard let element = iterator.next() else { return .exhausted }
            // Looks into optionals, too.
            guard let outcome = element as? any PendingOutcome else { return .made }
            return .pending(outcome, isOwn: false)
        }
    }

    /// Adds a task that calls `step`, once each turn, while it returns true. What it throws fails the task.
    @discardableResult
    public func cooperate(
        while step: @escaping @ReactorActor () throws -> Bool, file: StaticString = #fileID,
        line: UInt = #line
    ) -> CooperativeTask {
        add(file, line) { try step() ? .made : .exhausted }
    }

    /// Adds a task that runs `step` as a task on the reactor, again and again while it returns true. Ending the
    /// cooperative task cancels it.
    @discardableResult
    public func cooperate(
        while step: @escaping @ReactorActor () async throws -> Bool, file: StaticString = #fileID,
        line: UInt = #line
    ) -> CooperativeTask {
        var isExhausted = false
        return add(file, line) { [unowned reactor] in
            if isExhausted { return .exhausted }
            let outcome = Deferred(
                async: { isExhausted = try await !step() }, on: reactor, file: file, line: line)
            return .pending(outcome, isOwn: true)
        }
    }

    /// Adds a task as `cooperate(_:)` does, and gives its end: fires when every step has been made, and fails as
    /// `CooperativeTask.whenDone()` does.
    ///
    /// Cancelling it ends the task and cancels what that waits for; it fails with `DeferredError.cancelled`, or what the
    /// step made of that, when that is over.
    public func coiterate<Steps: Sequence>(
        _ steps: Steps, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Void> {
        cooperate(steps, file: file, line: line).whenDoneOrCancelled()
    }

    private func add(
        _ file: StaticString, _ line: UInt,
        _ makeStep: @escaping @ReactorActor () throws -> CooperativeTask.Step
    ) -> CooperativeTask {
        lastNumber += 1
        let task = CooperativeTask(self, number: lastNumber, file, line, makeStep)
        if state == .stopped {
            task.stopWithCooperator()
        } else {
            tasks[lastNumber] = task
            joinLine(task)
        }
        return task
    }

    // MARK: The line

    /// Puts a task that can make a step behind the others.
    func joinLine(_ task: CooperativeTask) {
        guard !task.isInLine else { return }
        task.isInLine = true
        line.append(task)
        schedule()
    }

    /// Takes a task out, if it is in line. With the last one the next slice goes.
    func leaveLine(_ task: CooperativeTask) {
        guard task.isInLine, let index = line.firstIndex(where: { $0 === task }) else { return }
        task.isInLine = false
        line.remove(at: index)
        if line.isEmpty { nextSlice.take()?.cancelIfActive() }
    }

    /// A task has ended.
    func forget(_ task: CooperativeTask) {
        leaveLine(task)
        tasks[task.number] = nil
    }

    private func schedule() {
        guard state == .running, nextSlice == nil, !isInSlice, !line.isEmpty else { return }
        nextSlice = reactor.callSoonInNoContext { [self] in runSlice() }
    }

    private func runSlice() {
        nextSlice = nil
        isInSlice = true
        // Real time, whatever the reactor's clock: it is the machine that must not be held up.
        let clock = MonotonicClock()
        let end = clock.now.advanced(by: timeSlice)
        while let task = line.popFirst() {
            task.isInLine = false
            task.step()
            if clock.now >= end { break }
        }
        isInSlice = false
        schedule()
    }
}

extension Reactor {
    /// As `callLater(.zero)`, without the caller's task-local values: a slice serves many tasks, each of which binds its
    /// own.
    @ReactorActor fileprivate func callSoonInNoContext(_ action: @escaping QueuedCall) -> DelayedCall {
        let call = DelayedCall(
            deadline: now, queue: timers, site: CallSite(#fileID, #line), action: action)
        timers.pointee.add(call)
        return call
    }
}
