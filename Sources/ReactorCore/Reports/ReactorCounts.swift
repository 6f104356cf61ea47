/// The loop's own counters at one moment, for metrics.
package struct ReactorCounts: Sendable {
    package let turns: UInt64
    package let jobs: Int
    package let ready: Int
    package let greenlets: Int
    /// Parked tasks by the kind of what they wait for.
    package let parked: [String: Int]
}

extension Reactor {
    /// Counts. Reactor only.
    ///
    /// - Complexity: O(n) in parked tasks and greenlets.
    @ReactorActor package func counts() -> ReactorCounts {
        var parked: [String: Int] = [:]
        for latch in parkedLatches { parked["\(latch.reason.kind)", default: 0] += 1 }
        return ReactorCounts(
            turns: turnCount, jobs: jobCount, ready: readyCount, greenlets: identities().count,
            parked: parked)
    }
}
