import CLinux
import Glibc

/// The task-local values bound when a callback was added, to be bound again when it runs: the context that Twisted's
/// callbacks and timers lose.
///
/// Swift can copy task-local values in one way only: into a new task, when it is made. So a snapshot *is* a task,
/// made at once and kept from its executor until `run` runs it, on the spot, around the callback. That costs a few
/// hundred nanoseconds, so it is done only where something is bound: see `TaskLocals.areBound`.
package final class TaskLocalSnapshot: @unchecked Sendable {  // reactor only, then deinit
    private final class Body: @unchecked Sendable {  // set and called by run(_:) on one thread
        var call: (@ReactorActor () -> Void)?
        func run() {
            // The snapshot's task is run by run(_:) alone, which is isolated, or empty.
            if let call { ReactorActor.assumeIsolated(call) }
        }
    }

    private let body: Body
    private let executor: UnownedTaskExecutor
    private var job: UnownedJob?

    /// Keeps what is bound now; nil, for next to nothing, when nothing is.
    @ReactorActor package static func capture() -> TaskLocalSnapshot? {
        TaskLocals.areBound ? TaskLocalSnapshot() : nil
    }

    /// Keeps what is bound now, and be it nothing.
    @ReactorActor package init() {
        let body = Body()
        let reactor = Reactor.current
        self.body = body
        executor = reactor.asUnownedTaskExecutor()
        job = reactor.heldBack { Self.startTask(body, on: reactor) }
    }

    deinit {
        // Never run: the task must end all the same. An empty one may do so on any thread.
        job?.runSynchronously(on: executor)
    }

    /// Runs `call` with the values bound. Once only.
    @ReactorActor package func run(_ call: @ReactorActor () -> Void) {
        guard let job else { preconditionFailure("a snapshot of task-local values is run twice") }
        self.job = nil
        withoutActuallyEscaping(call) { call in
            body.call = call
            // The closure is not isolated: run as if it were, the task would first hop to the executor it prefers.
            job.runSynchronously(on: executor)
            body.call = nil
        }
    }

    /// Not isolated, so that the closure is not either: the task must not hop before it runs.
    private nonisolated static func startTask(_ body: Body, on reactor: Reactor) {
        _ = Task(executorPreference: reactor) { body.run() }
    }
}

extension Reactor {
    /// Runs `start`, which starts one task here, and returns the task's first job instead of queueing it.
    @ReactorActor package func heldBack(_ start: () -> Void) -> UnownedJob {
        resumedJob = .expected
        start()
        defer { resumedJob = .none }
        guard case .arrived(let job) = resumedJob else {
            preconditionFailure("a task was started that its executor did not hear of")
        }
        return job
    }
}

/// Whether the running code has task-local values bound.
///
/// The runtime does not say, so this looks where the runtime looks: at the head of the list that hangs on the current
/// task. Where in a task that is, is found by experiment once a process: a task binds two values of its own, and the
/// word is the one that was nil, then pointed at an item with the first key, then at an item with the second key and a
/// link to the first, and was nil again at the end. If no word does that, in some runtime to come, then every callback
/// is taken to have values bound: slower, never wrong.
package enum TaskLocals {
    /// Whether anything is bound. On a reactor's thread all code is some task's, see `Reactor.run()`; elsewhere the
    /// answer may be a needless yes.
    package static var areBound: Bool { clinux_task_locals_bound() != 0 }

    /// Names a key that does not count: the greenlet's own, bound in every greenlet. Once, before any task binds it.
    package static func ignore<Value>(_ local: TaskLocal<Value>) {
        // Only the address, to compare.
        clinux_ignore_task_local(Unmanaged.passUnretained(local).toOpaque())
    }

    /// Looks for the list, once a process. Called before any reactor runs.
    static func prepare() { _ = isPrepared }

    private static let isPrepared: Bool = {
        clinux_set_task_locals_offset(findHead() ?? 0)
        return true
    }()

    private static func item(_ link: UInt) -> clinux_task_local? {
        guard link > 0xFFFF else { return nil }  // no pointer, but a number
        return UnsafePointer<clinux_task_local>(bitPattern: link & ~kindMask)?.pointee
    }

    /// Links carry what they lead to in their low bits.
    private static let kindMask: UInt = 0b11

    private enum Probe {
        @TaskLocal static var first = 0
        @TaskLocal static var second = 0
    }

    private final class Answer: @unchecked Sendable {  // written by a task that has ended when it is read
        var offset: Int?
    }

    /// Holds a task back until its maker runs it.
    private final class Holder: TaskExecutor, @unchecked Sendable {  // used on one thread
        var job: UnownedJob?
        func enqueue(_ job: consuming ExecutorJob) { self.job = UnownedJob(job) }
    }

    private static func findHead() -> Int? {
        let holder = Holder()
        let answer = Answer()
        // Detached: it inherits no values.
        _ = Task.detached(executorPreference: holder) { answer.offset = experiment() }
        guard let job = holder.job else { return nil }
        job.runSynchronously(on: holder.asUnownedTaskExecutor())
        return answer.offset
    }

    private static func experiment() -> Int? {
        guard let task = clinux_current_task() else { return nil }
        // The task is the start of its allocation, which malloc knows the length of.
        let offsets = stride(from: 0, to: malloc_usable_size(task) & ~7, by: 8)
        func word(_ offset: Int) -> UInt { task.load(fromByteOffset: offset, as: UInt.self) }
        func key<Value>(_ local: TaskLocal<Value>) -> UnsafeRawPointer {
            UnsafeRawPointer(Unmanaged.passUnretained(local).toOpaque())  // an address to compare
        }
        var candidates = offsets.filter { word($0) == 0 }
        Probe.$first.withValue(1) {
            candidates.removeAll { word($0) == 0 }
            let first = candidates.map(word)
            Probe.$second.withValue(2) {
                // What was nil and now is not, and was something else in between, is a list's head or nothing we know;
                // only then is it taken for a pointer.
                candidates = zip(candidates, first).compactMap { offset, link in
                    guard word(offset) != link, let outer = item(link), outer.key == key(Probe.$first),
                        let inner = item(word(offset)), inner.key == key(Probe.$second),
                        inner.next & ~kindMask == link & ~kindMask
                    else { return nil }
                    return offset
                }
            }
        }
        candidates.removeAll { word($0) != 0 }
        return candidates.count == 1 ? candidates[0] : nil
    }
}
