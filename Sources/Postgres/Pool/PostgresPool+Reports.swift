import ConnectionPools
import Greenlets
import ReactorCore

// What the pool says when there is no connection to be had.

extension PostgresPool {
    func refusal(_ reason: PoolRefusal) -> PostgresError {
        switch reason {
        case .closed: PostgresError(.poolClosed, "pool \"\(options.label)\" is closed")
        case .tooManyWaiting:
            PostgresError(
                .tooManyWaiting,
                "\(machine.counts.waiting) already wait for a connection from pool \"\(options.label)\"")
        case .connectFailedForGood:
            totals.lastConnectError
                ?? PostgresError(.connectFailed, "pool \"\(options.label)\" cannot connect")
        case .deadlock: deadlockError()
        }
    }

    func timeoutError(_ timeout: Duration, because cause: (any Error)? = nil) -> PostgresError {
        let counts = machine.counts
        var text =
            "no connection from pool \"\(options.label)\" within \(timeout): "
            + "maximum \(counts.maximum), \(counts.borrowed) borrowed, \(counts.idle) idle, \(counts.opening) opening, "
            + "\(counts.closing) closing, \(counts.waiting) waiting"
        if machine.isPaused { text += "; it is paused" }
        if let cause { text += "; \(cause)" }
        if let failure = totals.lastConnectError { text += "; the last connect failed: \(failure)" }
        let longest = machine.holdings.prefix(3).map { description(of: $0) }
        if !longest.isEmpty { text += "; held longest: \(longest.joined(separator: ", "))" }
        return PostgresError(.acquireTimedOut, text, underlying: cause ?? totals.lastConnectError)
    }

    private func deadlockError() -> PostgresError {
        totals.deadlocks += 1
        let holdings = machine.holdings
        return PostgresError(
            .poolDeadlock,
            "pool \"\(options.label)\" is in a deadlock: whoever holds one of its \(holdings.count) connections waits for "
                + "another: \(holdings.map { description(of: $0) }.joined(separator: ", ")); "
                + "let each greenlet take one at a time, or give the pool a greater maximum")
    }

    /// `12.5s by "report" (greenlet "worker-3", Shop/Report.swift:12)`.
    func description(of holding: PoolHolding<PostgresSession>) -> String {
        let holder = holding.holder
        var places: [String] = []
        if holder.greenlet != 0 {
            let greenlet = GreenletRegistry.of(.current).greenlets.first { $0.id == holder.greenlet }
            places.append("greenlet \"\(greenlet?.name ?? "greenlet-\(holder.greenlet)")\"")
            if holder.line == 0, let greenlet { places.append("spawned at \(greenlet.spawnLocation)") }
        }
        if holder.line != 0 { places.append("\(holder.file):\(holder.line)") }
        let label = holder.label.isEmpty ? "an unlabelled borrower" : "\"\(holder.label)\""
        let place = places.isEmpty ? "" : " (\(places.joined(separator: ", ")))"
        return "\((now - holding.since).humanReadable) by \(label)\(place)"
    }
}
