import CLinux
import ReactorCore

/// Who holds a lock: a greenlet together with the tasks it started or, outside greenlets, a task.
///
/// Not always the task: `withTimeout` runs its body in a task of its own, and what a greenlet holds it holds in there
/// too.
struct LockOwner: Sendable {
    private let greenlet: AnyGreenlet?
    /// The task that took the lock, by address.
    private let task: UInt

    /// Who runs the calling code.
    @ReactorActor static var current: LockOwner {
        LockOwner(greenlet: .current, task: UInt(bitPattern: clinux_current_task()))
    }

    /// Whether both are the same greenlet or, outside greenlets, the same task.
    func isSame(as other: LockOwner) -> Bool {
        if greenlet != nil || other.greenlet != nil { return greenlet === other.greenlet }
        return task == other.task
    }

    /// Its tasks, for reports.
    @ReactorActor var tasks: [UInt] {
        guard let main = greenlet?.taskAddress, main != task else { return [task] }
        return [main, task]
    }
}
