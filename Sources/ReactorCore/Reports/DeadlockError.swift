/// Everything waits for each other: no task of the reactor can go on, and nothing outside it can wake one.
///
/// `run(until:)` throws it when its main function is among those who wait; otherwise `onUncaughtError` gets it. The
/// text names cycles first, then each who waits, what for, since when, and who holds it. Follows gevent's LoopExit,
/// which tells nothing of it.
public struct DeadlockError: Error, Sendable, CustomStringConvertible {
    /// One of those who wait.
    public struct Wait: Sendable, Equatable {
        /// `greenlet "reader" (2, spawned at App/Main.swift:12)`, or `the main function of App/Main.swift:3`.
        public let who: String
        /// `semaphore with 0 of 1 permits`.
        public let what: String
        /// Those who could end the wait, as `who`; empty when nobody in particular could.
        public let holders: [String]
        /// How long it has waited, rounded to milliseconds.
        public let time: Duration
    }

    /// Each who waits, who began first in front.
    public let waits: [Wait]
    /// Those who wait for each other in a circle, each for the next and the last for the first, as `Wait.who`.
    public let cycles: [[String]]

    /// The report, a line each.
    public var description: String {
        var lines = [
            "deadlock: \(waits.count == 1 ? "one task waits" : "\(waits.count) tasks wait") for what only others of them "
                + "could bring about, and no timer, descriptor, signal, thread or external waker is left to wake any"
        ]
        for cycle in cycles {
            lines.append("  cycle: \((cycle + [cycle[0]]).joined(separator: " → "))")
        }
        for wait in waits {
            let held = wait.holders.isEmpty ? "" : ", held by \(wait.holders.joined(separator: " and "))"
            lines.append("  \(wait.who) waits for \(wait.what)\(held), since \(wait.time.humanReadable)")
        }
        return lines.joined(separator: "\n")
    }
}
