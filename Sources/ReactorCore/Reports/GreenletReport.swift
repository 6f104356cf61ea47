/// One greenlet in a dump.
public struct GreenletReport: Sendable, Codable, CustomStringConvertible {
    /// What a greenlet is doing.
    public enum State: String, Sendable, Codable {
        /// Spawned, and has not begun.
        case pending
        /// Has been woken and waits for its turn.
        case ready
        /// Runs: it is the one that made the dump.
        case running
        /// Waits for what `waitsFor` says.
        case parked
        /// An async one that waits for something the reactor knows nothing of: another actor, a stream, a task's value.
        case suspended
    }

    /// Small number, unique in its reactor.
    public let id: Int
    /// Its name.
    public let name: String
    /// The greenlet that spawned it.
    public let parentID: Int?
    /// Where it was spawned: `Module/File.swift:12`.
    public let spawnLocation: String
    /// Whether its body is synchronous and runs on a stack of its own.
    public let isSynchronous: Bool
    /// What it is doing.
    public let state: State
    /// What it waits for, when it is parked.
    public let waitsFor: String?
    /// How long it has been parked.
    public let waitingTime: Duration?
    /// How often it was resumed while the reactor was accounting; else how often it has parked, which is known of
    /// synchronous ones alone.
    public let switchCount: Int?
    /// The processor time that its steps have used, on the loop's thread alone; nil unless the reactor is accounting.
    public let processorTime: Duration?
    /// How much of its stack was used; nil for an async one.
    public let stack: StackUse?

    /// One line.
    public var description: String {
        var parts = ["\"\(name)\" (\(id))"]
        switch state {
        case .parked: parts.append("waits for \(waitsFor ?? "?") since \(waitingTime?.humanReadable ?? "?")")
        case .suspended: parts.append("suspended on something unknown")
        default: parts.append(state.rawValue)
        }
        if let switchCount { parts.append("\(switchCount) switches") }
        if let processorTime { parts.append("\(processorTime.humanReadable) of processor time") }
        if let stack { parts.append("stack \(stack.highWater / 1024) of \(stack.size / 1024) KiB") }
        parts.append("spawned at \(spawnLocation)")
        return parts.joined(separator: ", ")
    }
}
