import ConnectionPools
import PostgresValues
import ReactorCore

/// Runs statements of many greenlets on few connections of a pool.
///
/// All decisions are `MultiplexStateMachine`'s; this class and `MultiplexedLine` carry them out. Statements that come in one
/// turn of the reactor are sent at its end, together.
@ReactorActor
final class Multiplexer {
    typealias Machine = MultiplexStateMachine<PipelinedCall>

    /// The pool owns this; whoever waits here holds the pool.
    unowned let pool: PostgresPool
    var machine: Machine
    var lines: [MultiplexedLine?]
    var reputations: StatementReputations
    /// Whether statements share only when there are more of them than connections; see `Multiplexer+Relief`.
    let isRelief: Bool
    private var isPumpScheduled = false
    private var ticker: DelayedCall?
    private var isClosed = false
    let maximumWaiting: Int
    private let isObserved: Bool
    private let reactor = Reactor.current
    /// Counted since the pool's creation; how often connections were given up the machine knows.
    var totals = PostgresSharingTotals()

    init?(_ pool: PostgresPool) {
        let limits: MultiplexLimits
        let isRelief = pool.options.mode == .automatic
        switch pool.options.mode {
        case .exclusive: return nil
        case .multiplexed(let connections):
            limits = MultiplexLimits(lines: max(1, connections))
        case .automatic:
            if pool.options.careForLoans { return nil }
            limits = Self.reliefLimits(pool.options.maximum)
        }
        self.pool = pool
        self.isRelief = isRelief
        isObserved = pool.configuration.observesStatements
        reputations = StatementReputations { text in
            isRelief ? StatementKind.isPlainRead(text) : StatementKind.isShareable(text)
        }
        machine = Machine(limits: limits)
        lines = Array(repeating: nil, count: limits.lines)
        let room = limits.lines * limits.depth
        let (sum, isHuge) = pool.options.maximumWaiting.addingReportingOverflow(room)
        maximumWaiting = isHuge ? .max : sum
    }

    // MARK: Callers

    /// Whether the statement is to share a connection.
    func takes(_ sql: SQL, _ fingerprint: UInt64) -> Bool {
        if isRelief { return relieves(sql, fingerprint) }
        return reputations.isShareable(sql, fingerprint) && !isOfHolder
    }

    // Inlined, as all on the way of a query: each async call of its own would ask the task for its executor twice.
    @inline(__always)
    func query(_ sql: SQL, _ fingerprint: UInt64, timeout: Duration?) async throws -> PostgresRows {
        guard isObserved else { return try await share(sql, fingerprint, timeout: timeout) }
        let start = reactor.now
        let result: Result<PostgresRows, any Error>
        do { result = .success(try await share(sql, fingerprint, timeout: timeout)) } catch {
            result = .failure(error)
        }
        pool.configuration.tell(sql.text, since: start, processID: nil, result.map(\.affectedRows))
        return try result.get()
    }

    @inline(__always)
    private func share(_ sql: SQL, _ fingerprint: UInt64, timeout: Duration?) async throws -> PostgresRows {
        try sql.validate()
        try Task.checkCancellation()
        guard !isClosed else { throw pool.refusal(.closed) }
        if isOverfull { throw pool.refusal(.tooManyWaiting) }
        let call = PipelinedCall(sql, fingerprint)
        call.sharing.timeout = timeout
        call.sharing.ticket = machine.submit(
            call, isQuick: isRelief || reputations.isQuick(fingerprint), at: pool.now)
        schedulePump()
        await withTaskCancellationHandler {
            // Resumed exactly once: `finish` forgets the continuation that it resumes.
            await withUnsafeContinuation { continuation in
                if call.sharing.outcome == nil {
                    call.sharing.parked = continuation
                } else {
                    continuation.resume()
                }
            }
        } onCancel: {
            leaveFromAnyThread(call)
        }
        guard let outcome = call.sharing.outcome else {
            preconditionFailure("the caller of a shared statement was resumed without an outcome")
        }
        return try outcome.get()
    }

    private nonisolated func leaveFromAnyThread(_ call: PipelinedCall) {
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { leave(call, .cancelled) }
        } else {
            reactor.callFromThread { self.leave(call, .cancelled) }
        }
    }

    /// The caller of a statement has had enough.
    func leave(_ call: PipelinedCall, _ reason: Interruption) {
        guard call.sharing.outcome == nil, call.sharing.interruption == nil, let ticket = call.sharing.ticket
        else { return }
        switch machine.cancel(ticket) {
        case .removed: call.finish(.failure(reason.error))
        case .abandoned: call.finish(.failure(call.isRead ? reason.error : reason.leftBehind))
        case .request(let line):
            call.sharing.interruption = reason
            lines[line.index]?.requestCancel()
        case .requested: call.sharing.interruption = reason
        case .over: break
        }
    }

    // MARK: Work

    /// Sees to it that what waits is sent at the end of this turn, behind everything that is ready to run: until then more may come.
    func schedulePump() {
        guard !isPumpScheduled, !isClosed else { return }
        isPumpScheduled = true
        let pool = pool
        _ = Reactor.current.callInternallyLater(.zero) { pool.multiplexer?.pump() }
    }

    func pump() {
        isPumpScheduled = false
        let now = pool.now
        while let (call, place) = machine.next(at: now) {
            guard let line = lines[place.index] else {
                preconditionFailure("a statement was routed to a line that does not exist")
            }
            line.send(call)
        }
        for line in lines { line?.push() }
        while let place = machine.lineToOpen() { open(place) }
        armTicker()
    }

    private func open(_ place: MultiplexLine) {
        let pool = pool
        _ = Reactor.current.startTask { await Self.runLine(place, of: pool) }
    }

    /// The life of a line.
    private static func runLine(_ place: MultiplexLine, of pool: PostgresPool) async {
        guard let multiplexer = pool.multiplexer else { return }
        let lease: PostgresPool.Lease
        do {
            lease = try await pool.acquire(
                timeout: pool.options.acquireTimeout, for: PoolHolder(label: "shared line"))
        } catch let error as PostgresError where error.code == .acquireTimedOut {
            // Those who have waited for so long are told so by `tick`.
            multiplexer.machine.lineMissed(place)
            return multiplexer.schedulePump()
        } catch {
            return multiplexer.lineFailed(place, error)
        }
        do { _ = try lease.connection.beginPipeline() } catch {
            pool.release(lease)
            return multiplexer.lineFailed(place, error)
        }
        if multiplexer.machine.lineOpened(place, at: pool.now) {
            let line = MultiplexedLine(place, lease.connection, multiplexer)
            multiplexer.lines[place.index] = line
            // What waits goes at once: the line may have to give way again before the turn is over.
            multiplexer.pump()
            multiplexer.giveWay()
            await line.run()
            // Lost, its place may be another's by now.
            if multiplexer.lines[place.index] === line { multiplexer.lines[place.index] = nil }
            multiplexer.schedulePump()
            multiplexer.stopTickingWhenDone()
        }
        lease.connection.endPipeline()
        pool.release(lease)
    }

    private func lineFailed(_ place: MultiplexLine, _ error: any Error) {
        for call in machine.lineFailed(place) { call.finish(.failure(error)) }
        schedulePump()
        stopTickingWhenDone()
    }

    /// Notes how long a statement took.
    func note(_ fingerprint: UInt64, _ duration: Duration) {
        reputations.note(fingerprint, isQuick: duration < machine.limits.slowAfter)
    }

    // MARK: Time

    private func armTicker() {
        guard ticker == nil, machine.open > 0 || machine.opening > 0 || machine.waiting > 0 else { return }
        let pool = pool
        ticker = Reactor.current.callInternallyLater(machine.limits.slowAfter / 2) {
            pool.multiplexer?.tick()
        }
    }

    private func tick() {
        ticker = nil
        let counts = pool.machine.counts
        let tick = machine.tick(
            at: pool.now, patience: pool.options.acquireTimeout,
            areOthersWaiting: counts.waiting > machine.opening && counts.total >= counts.maximum
                || counts.total - counts.closing > counts.maximum)
        for place in tick.requests { lines[place.index]?.requestCancel() }
        for place in tick.released { lines[place.index]?.end() }
        for call in tick.expired { call.finish(.failure(expiry())) }
        if machine.waiting > 0 { schedulePump() }
        armTicker()
    }

    private func expiry() -> PostgresError {
        pool.totals.acquireTimeouts += 1
        // Without a line it is the pool that had none, and knows why.
        if isRelief || machine.open == 0 { return pool.timeoutError(pool.options.acquireTimeout) }
        return PostgresError(
            .acquireTimedOut,
            "no shared connection of pool \"\(pool.options.label)\" had room for the statement within "
                + "\(pool.options.acquireTimeout): \(machine.open) are open, "
                + "\(machine.outstanding) statements run, \(machine.waiting) wait")
    }

    /// Takes no more statements; what was sent is answered, what was not fails.
    func close() {
        isClosed = true
        for call in machine.close() { call.finish(.failure(pool.refusal(.closed))) }
        for line in lines { line?.session.signal.raise() }
        stopTickingWhenDone()
    }

    private func stopTickingWhenDone() {
        guard isClosed, machine.open == 0, machine.opening == 0 else { return }
        ticker?.cancelIfActive()
        ticker = nil
    }
}

extension PipelinedCall {
    /// Gives the caller its outcome. Does nothing when it has one.
    func finish(_ outcome: Result<PostgresRows, any Error>) {
        guard sharing.outcome == nil else { return }
        sharing.outcome = outcome
        sharing.timer?.cancelIfActive()
        sharing.timer = nil
        sharing.parked?.resume()
        sharing.parked = nil
    }
}
