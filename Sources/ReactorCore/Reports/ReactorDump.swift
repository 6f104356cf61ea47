/// What is going on in a reactor at one moment: who waits for what, and what is to come. Made by `Reactor.dump()`.
///
/// `description` is for people, and the `Codable` form for machines.
public struct ReactorDump: Sendable, Codable, CustomStringConvertible {
    /// A parked task that is no greenlet's.
    public struct Task: Sendable, Codable {
        /// Whether it is the main function of `run(until:)`.
        public let isMain: Bool
        /// What it waits for.
        public let waitsFor: String
        /// For how long.
        public let waitingTime: Duration
    }

    /// A delayed call, a sleep or a time-out.
    public struct Timer: Sendable, Codable {
        /// When it is due; negative when it is late.
        public let dueIn: Duration
        /// Where it was made.
        public let location: String
    }

    /// A descriptor that somebody watches.
    public struct Descriptor: Sendable, Codable {
        /// Its number.
        public let fd: Int32
        /// Who watches for reading; nil for nobody.
        public let reader: String?
        /// Who watches for writing.
        public let writer: String?
    }

    /// Greenlets that have not ended, oldest first.
    public let greenlets: [GreenletReport]
    /// Other parked tasks, who parked first in front.
    public let tasks: [Task]
    /// Timers in the order in which they are due.
    public let timers: [Timer]
    /// Watched descriptors in ascending order.
    public let descriptors: [Descriptor]
    /// Work on threads.
    public let threadPool: ThreadPool.Statistics
    /// How many jobs and calls are ready to run.
    public let readyCount: Int
    /// Turns that the loop has made.
    public let turnCount: UInt64
    /// Jobs and calls that it has run.
    public let jobCount: Int
    /// Whether steps and processor time are counted.
    public let isAccounting: Bool
    /// Wakers held; see `ExternalWaker`.
    public let externalWakerCount: Int

    /// Who spawned whom.
    public var tree: GreenletTree { GreenletTree(greenlets) }

    /// The whole dump, several lines.
    public var description: String {
        var lines = [
            "reactor: \(turnCount) turns, \(jobCount) jobs, \(readyCount) ready; threads: \(threadPool)"
                + (externalWakerCount > 0 ? "; \(externalWakerCount) external wakers" : "")
        ]
        func section(_ title: String, _ items: [String]) {
            lines.append("\(title): \(items.isEmpty ? "none" : "\(items.count)")")
            lines += items.map { "  \($0)" }
        }
        lines.append("greenlets: \(greenlets.isEmpty ? "none" : "\(greenlets.count)")")
        lines += tree.description.split(separator: "\n").map { "  \($0)" }
        section(
            "other parked tasks",
            tasks.map {
                "\($0.isMain ? "the main function" : "a task") waits for \($0.waitsFor) since \($0.waitingTime.humanReadable)"
            })
        section(
            "timers",
            timers.map { timer in
                let late = timer.dueIn < .zero
                return
                    "\(late ? "\((.zero - timer.dueIn).humanReadable) late" : "in \(timer.dueIn.humanReadable)"): \(timer.location)"
            })
        section(
            "descriptors",
            descriptors.map { descriptor in
                let watchers = [
                    descriptor.reader.map { "read by \($0)" }, descriptor.writer.map { "written by \($0)" },
                ]
                return "\(descriptor.fd): \(watchers.compactMap { $0 }.joined(separator: ", "))"
            })
        return lines.joined(separator: "\n")
    }
}
