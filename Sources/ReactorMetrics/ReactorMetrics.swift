import CLinux
public import CoreMetrics
public import ReactorCore

/// Reports a reactor's counters through swift-metrics, at an interval: what `Reactor.reportMetrics(…)` returns.
///
/// | label | kind | what |
/// |---|---|---|
/// | `reactor_turns_total` | counter | turns of the loop |
/// | `reactor_jobs_total` | counter | switches: steps of tasks, and calls of other threads, that it has run |
/// | `reactor_ready` | gauge | how many of these were waiting at the moment of the report |
/// | `reactor_loop_lag_nanoseconds` | timer (a histogram) | how late the report's own timer was: what every timer has to expect |
/// | `reactor_parked` | gauge, dimension `reason` | parked tasks by what they wait for |
/// | `reactor_greenlets` | gauge | greenlets that have not ended |
/// | `reactor_timers` | gauge | delayed calls, sleeps and time-outs to come |
/// | `reactor_thread_pool_queued`, `reactor_thread_pool_working` | gauge | work that waits for a thread, and work on one |
///
/// The loop counts these for itself, so they cost nothing between two reports. Reactor only. Dropping the last
/// reference ends the reports.
@ReactorActor
public final class ReactorMetrics {
    private let reactor: Reactor
    private let period: Duration
    private let dimensions: [(String, String)]
    private let factory: any MetricsFactory
    private let turns: Counter
    private let jobs: Counter
    private let ready: Gauge
    private let lag: CoreMetrics.Timer
    private let greenlets: Gauge
    private let timers: Gauge
    private let queued: Gauge
    private let working: Gauge
    private var parked: [String: Gauge] = [:]
    private var reportedTurns: UInt64
    private var reportedJobs: Int
    private var timer: DelayedCall?

    init(
        _ reactor: Reactor, every period: Duration, _ dimensions: [(String, String)],
        _ factory: any MetricsFactory
    ) {
        precondition(period >= .milliseconds(1), "reportMetrics(every: \(period)): at least a millisecond")
        self.reactor = reactor
        self.period = period
        self.dimensions = dimensions
        self.factory = factory
        turns = Counter(label: "reactor_turns_total", dimensions: dimensions, factory: factory)
        jobs = Counter(label: "reactor_jobs_total", dimensions: dimensions, factory: factory)
        ready = Gauge(label: "reactor_ready", dimensions: dimensions, factory: factory)
        lag = CoreMetrics.Timer(
            label: "reactor_loop_lag_nanoseconds", dimensions: dimensions,
            preferredDisplayUnit: .milliseconds,
            factory: factory)
        greenlets = Gauge(label: "reactor_greenlets", dimensions: dimensions, factory: factory)
        timers = Gauge(label: "reactor_timers", dimensions: dimensions, factory: factory)
        queued = Gauge(label: "reactor_thread_pool_queued", dimensions: dimensions, factory: factory)
        working = Gauge(label: "reactor_thread_pool_working", dimensions: dimensions, factory: factory)
        let counts = reactor.counts()
        reportedTurns = counts.turns
        reportedJobs = counts.jobs
        arm()
    }

    /// Ends the reports. Never waits; a second call does nothing.
    public func stop() {
        timer?.cancelIfActive()
        timer = nil
    }

    private func arm() {
        timer = reactor.callLater(period) { [weak self] in
            guard let self, let timer else { return }
            lag.recordNanoseconds(max(0, timer.deadline.duration(to: reactor.now).wholeNanoseconds))
            report()
            arm()
        }
    }

    private func report() {
        let counts = reactor.counts()
        turns.increment(by: Int64(clamping: counts.turns - reportedTurns))
        jobs.increment(by: Int64(counts.jobs - reportedJobs))
        reportedTurns = counts.turns
        reportedJobs = counts.jobs
        ready.record(counts.ready)
        greenlets.record(counts.greenlets)
        timers.record(reactor.delayedCallCount)
        let pool = reactor.threadPool.statistics
        queued.record(pool.queued)
        working.record(pool.working)
        // A reason that nobody waits for any more is nought, not what it was.
        for (reason, gauge) in parked where counts.parked[reason] == nil { gauge.record(0) }
        for (reason, count) in counts.parked {
            let gauge =
                parked[reason]
                ?? Gauge(
                    label: "reactor_parked", dimensions: dimensions + [("reason", reason)], factory: factory)
            parked[reason] = gauge
            gauge.record(count)
        }
    }
}

extension Reactor {
    /// Reports this reactor's counters to the metrics system until the result is stopped or dropped. Reactor only;
    /// never waits.
    ///
    /// A loop with reports is woken for each of them, and is never seen as deadlocked: the call for the next report is
    /// pending, and a loop with a pending call is taken for one in which something will happen.
    /// - Parameters:
    ///   - period: how often; at least a millisecond.
    ///   - dimensions: added to each metric, to tell reactors apart.
    ///   - factory: where the metrics go; the process's by default.
    @ReactorActor public func reportMetrics(
        every period: Duration = .seconds(10), dimensions: [(String, String)] = [],
        factory: any MetricsFactory = MetricsSystem.factory
    ) -> ReactorMetrics {
        ReactorMetrics(self, every: period, dimensions, factory)
    }
}
