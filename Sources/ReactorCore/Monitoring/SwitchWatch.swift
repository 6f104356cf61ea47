import CLinux

/// Sees when one task gives way to others, for `assertSwitches`.
@ReactorActor
final class SwitchWatch {
    let task: UInt
    /// Since when it runs without having given way; nil while it waits.
    private var runningSince: Int64?
    private(set) var hasSwitched = false
    private(set) var longestStretch: Int64 = 0

    init(task: UInt) {
        self.task = task
        runningSince = clinux_monotonic_ns()
    }

    func resumed(at time: Int64) { runningSince = time }

    /// Said twice, it counts once.
    func gaveWay(at time: Int64) {
        guard let runningSince else { return }
        hasSwitched = true
        longestStretch = max(longestStretch, time - runningSince)
        self.runningSince = nil
    }

    /// The end of what is watched: the last stretch counts, and is no switch.
    func end(at time: Int64) {
        if let runningSince { longestStretch = max(longestStretch, time - runningSince) }
        runningSince = nil
    }
}
