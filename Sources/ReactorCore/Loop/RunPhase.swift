import Synchronization

/// Where a reactor is between a call of `run()` and its return.
enum RunPhase: UInt8, AtomicRepresentable {
    /// Nobody runs it. Left by `run()` for `starting`, by `iterate(for:)` for `iterating`.
    case idle
    /// Inside `iterate(for:)`. Left for `idle`.
    case iterating
    /// The `before` triggers of startup are not through. Left for `running`, `stopRequested` or `crashed`.
    case starting
    /// Left for `stopRequested` or `crashed`.
    case running
    /// `stop()` was called, and the loop has not come to it. Left for `shuttingDown` or `crashed`.
    case stopRequested
    /// The triggers of shutdown fire. Left for `ended` or `crashed`.
    case shuttingDown
    /// The triggers of shutdown are through: the loop returns. Left for `idle`.
    case ended
    /// `crash()` was called: the loop returns. Left for `idle`.
    case crashed

    /// Whether the reactor counts as running, to those who ask.
    var isRunning: Bool {
        switch self {
        case .running, .stopRequested, .shuttingDown: true
        case .idle, .iterating, .starting, .ended, .crashed: false
        }
    }

    /// Whether the loop may sleep, because it has no decision of its own to make.
    var maySleep: Bool {
        switch self {
        case .iterating, .starting, .running, .shuttingDown: true
        case .idle, .stopRequested, .ended, .crashed: false
        }
    }
}

extension Atomic where Value == RunPhase {
    /// Moves from one of `sources` to `target`. Returns where it was; it has moved when that is one of them.
    @discardableResult
    func move(from sources: Set<RunPhase>, to target: RunPhase) -> RunPhase {
        var seen = load(ordering: .acquiring)
        while sources.contains(seen) {
            let (isExchanged, original) = compareExchange(
                expected: seen, desired: target, ordering: .acquiringAndReleasing)
            if isExchanged { return original }
            seen = original
        }
        return seen
    }
}
