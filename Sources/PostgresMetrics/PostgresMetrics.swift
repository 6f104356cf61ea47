public import CoreMetrics
public import Postgres
public import ReactorCore

/// Reports a pool's numbers through swift-metrics, at an interval: what `PostgresPool.reportMetrics(…)` returns.
///
/// | label | kind | what |
/// |---|---|---|
/// | `postgres_pool_connections` | gauge, dimension `state` | connections that are `idle`, `borrowed`, `opening`, `closing` |
/// | `postgres_pool_maximum` | gauge | the most there may be |
/// | `postgres_pool_waiting` | gauge | borrowers that wait for one |
/// | `postgres_pool_longest_wait_nanoseconds` | gauge | how long the one at the head of the queue has waited |
/// | `postgres_pool_acquired_total`, `postgres_pool_waited_total` | counter | borrowers served; of them those that had to wait |
/// | `postgres_pool_acquire_timeouts_total` | counter | borrowers whose time was over |
/// | `postgres_pool_connects_total` | counter, dimension `outcome` | connects that `succeeded`, `failed` |
/// | `postgres_pool_evictions_total` | counter, dimension `reason` | connections closed |
/// | `postgres_pool_statements_total`, `postgres_pool_statement_cancels_total` | counter | statements sent; cancelled |
/// | `postgres_pool_connect_nanoseconds_total`, `postgres_pool_connections_lost_total` | counter | time spent on connects that succeeded; connections that broke |
/// | `postgres_pool_shared_statements_total`, `postgres_pool_shared_batches_total`, `postgres_pool_shared_reruns_total`, `postgres_pool_shared_given_way_total` | counter | see `PostgresSharingTotals` |
/// | `postgres_pool_shared_longest_pipeline` | gauge | the same |
/// | `postgres_pool_bytes_total` | counter, dimension `direction` | bytes `sent`, `received`; not over UNIX sockets |
/// | `postgres_pool_deadlocks_total`, `postgres_pool_leaks_total`, `postgres_pool_resets_total` | counter | see `PostgresPoolStatistics` |
///
/// Each has the dimension `pool`, the pool's label. The pool counts for itself, so they cost nothing between two reports.
/// Times of statements: `PostgresConfiguration.onStatement`. Reactor only. Dropping the last reference ends the reports.
@ReactorActor
public final class PostgresMetrics {
    private let pool: PostgresPool
    private let period: Duration
    private let dimensions: [(String, String)]
    private let factory: any MetricsFactory
    private let reactor = Reactor.current
    private var gauges: [String: Gauge] = [:]
    private var counters: [String: Counter] = [:]
    private var reported: [String: Int] = [:]
    private var timer: DelayedCall?

    init(
        _ pool: PostgresPool, every period: Duration, _ dimensions: [(String, String)],
        _ factory: any MetricsFactory
    ) {
        precondition(period >= .milliseconds(1), "reportMetrics(every: \(period)): at least a millisecond")
        self.pool = pool
        self.period = period
        self.dimensions = [("pool", pool.options.label)] + dimensions
        self.factory = factory
        arm()
    }

    /// Ends the reports. Never waits; a second call does nothing.
    public func stop() {
        timer?.cancelIfActive()
        timer = nil
    }

    /// Reports now, besides. Never waits.
    public func report() {
        let numbers = pool.statistics
        let states = [
            ("idle", numbers.counts.idle), ("borrowed", numbers.counts.borrowed),
            ("opening", numbers.counts.opening), ("closing", numbers.counts.closing),
        ]
        for (state, count) in states { record("connections", count, ("state", state)) }
        record("maximum", numbers.counts.maximum)
        record("waiting", numbers.counts.waiting)
        let wait = numbers.longestWait ?? .zero
        record("longest_wait_nanoseconds", Int(wait / .nanoseconds(1)))
        count("acquired_total", numbers.acquired)
        count("waited_total", numbers.waited)
        count("acquire_timeouts_total", numbers.acquireTimeouts)
        count("connects_total", numbers.connectsSucceeded, ("outcome", "succeeded"))
        count("connects_total", numbers.connectsFailed, ("outcome", "failed"))
        for (reason, total) in numbers.evictions { count("evictions_total", total, ("reason", "\(reason)")) }
        count("statements_total", numbers.statements)
        count("statement_cancels_total", numbers.statementCancels)
        count("connect_nanoseconds_total", Int(numbers.connectTime / .nanoseconds(1)))
        count("connections_lost_total", numbers.connectionsLost)
        if pool.options.mode != .exclusive {
            count("shared_statements_total", numbers.sharing.statements)
            count("shared_batches_total", numbers.sharing.batches)
            count("shared_reruns_total", numbers.sharing.reruns)
            count("shared_given_way_total", numbers.sharing.givenWay)
            record("shared_longest_pipeline", numbers.sharing.longestPipeline)
        }
        if let sent = numbers.bytesSent, let received = numbers.bytesReceived {
            count("bytes_total", Int(clamping: sent), ("direction", "sent"))
            count("bytes_total", Int(clamping: received), ("direction", "received"))
        }
        count("deadlocks_total", numbers.deadlocks)
        count("leaks_total", numbers.leaks)
        count("resets_total", numbers.resets)
    }

    private func arm() {
        timer = reactor.callLater(period) { [weak self] in
            self?.report()
            self?.arm()
        }
    }

    private func record(_ name: String, _ value: Int, _ dimension: (String, String)? = nil) {
        let key = key(name, dimension)
        let gauge =
            gauges[key]
            ?? Gauge(label: "postgres_pool_\(name)", dimensions: dimensions(dimension), factory: factory)
        gauges[key] = gauge
        gauge.record(value)
    }

    private func count(_ name: String, _ total: Int, _ dimension: (String, String)? = nil) {
        let key = key(name, dimension)
        let counter =
            counters[key]
            ?? Counter(label: "postgres_pool_\(name)", dimensions: dimensions(dimension), factory: factory)
        counters[key] = counter
        // A forked child's pool begins at nought again.
        counter.increment(by: Int64(max(0, total - (reported[key] ?? 0))))
        reported[key] = total
    }

    private func key(_ name: String, _ dimension: (String, String)?) -> String {
        dimension.map { "\(name) \($0.1)" } ?? name
    }

    private func dimensions(_ dimension: (String, String)?) -> [(String, String)] {
        dimension.map { dimensions + [$0] } ?? dimensions
    }
}

extension PostgresPool {
    /// Reports this pool's numbers to the metrics system until the result is stopped or dropped. Reactor only; never waits.
    ///
    /// - Parameters:
    ///   - period: how often; at least a millisecond.
    ///   - dimensions: added to each metric.
    ///   - factory: where the metrics go; the process's by default.
    @ReactorActor public func reportMetrics(
        every period: Duration = .seconds(10), dimensions: [(String, String)] = [],
        factory: any MetricsFactory = MetricsSystem.factory
    ) -> PostgresMetrics {
        PostgresMetrics(self, every: period, dimensions, factory)
    }
}
