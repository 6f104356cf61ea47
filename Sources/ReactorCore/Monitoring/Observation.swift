/// What somebody wants to see of the jobs that the loop runs. While nobody does, a job costs nothing more.
package struct Observation: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The monitor: which task runs.
    static let monitor = Observation(rawValue: 1)
    /// `isAccounting`: how often each task runs, and for how long.
    static let accounting = Observation(rawValue: 2)
    /// `assertSwitches`: when a task gives way.
    static let switches = Observation(rawValue: 4)
}
