import CBlockingShims
import CFibers
import CLinux
import Glibc
import Testing

/// Hooks without a reactor: each park is written down, the fiber is parked, and the thread blocks in its place.
///
/// The next of `whenParked` runs while the fiber is parked: the moment in which a test makes a descriptor ready, without
/// any timing.
final class FakeScheduler {
    struct Wait: Equatable {
        var fd: Int32
        var events: Int32
    }

    struct Park: Equatable {
        var deadline: Int64
        var isKillable: Bool
    }

    private(set) var waits: [Wait] = []

    /// The longest time that a wait for a descriptor was to last when it began, in nanoseconds. The kernel rounds the time-outs of
    /// sockets up.
    private(set) var longestWait: Int64 = 0
    /// Parks in waits that somebody else ends.
    private(set) var parks: [Park] = []
    private(set) var sleeps: [Int64] = []
    private(set) var offloads = 0
    private(set) var closedRanges: [ClosedRange<Int32>] = []
    /// The first descriptor of each.
    var closed: [Int32] { closedRanges.map(\.lowerBound) }
    private(set) var operations: [cbs_file_opcode] = []
    var whenParked: [() -> Void] = []
    /// Returned, negated, by every hook that parks, as for a killed fiber.
    var failure: Int32?
    /// Returned, negated, by the waits for these descriptors.
    var refusals: [Int32: Int32] = [:]
    /// How many of the next waits end as ready at once although nothing is.
    var spuriousWakes = 0
    /// Take no operations on files.
    var refusesOperations = false
    /// Leave the offloaded work to the test instead of running it.
    var keepsWork = false
    private(set) var keptWork: [KeptWork] = []

    /// Work that a worker thread would do.
    struct KeptWork {
        fileprivate let work: @convention(c) (UnsafeMutableRawPointer?) -> Void
        fileprivate let release: @convention(c) (UnsafeMutableRawPointer?) -> Void
        fileprivate let argument: UnsafeMutableRawPointer

        func callAsFunction() {
            work(argument)
            release(argument)
        }

        /// Never does it.
        func drop() { release(argument) }
    }

    /// Runs `body` on a fiber of this thread, to its end.
    func run(_ body: () -> Void) {
        let stack = cf_fiber_map(256 * 1024)!  // a test without memory for a stack may trap
        withoutActuallyEscaping(body) { body in
            self.body = body
            // `self` outlives the fiber, which ends in this function.
            cf_fiber_prepare(
                stack, { FakeScheduler.from($0!).body?() }, Unmanaged.passUnretained(self).toOpaque())
            stack.pointee.owner = Unmanaged.passUnretained(self).toOpaque()  // as above
            cbs_set_thread_hooks(Self.hooks)
            while cf_fiber_resume(stack) == 0 {
                let request = request!  // a fiber parks only in park(_:)
                answer = request()
            }
            cbs_set_thread_hooks(nil)
            self.body = nil
        }
        cf_fiber_unmap(stack)
    }

    private var body: (() -> Void)?
    private var request: (() -> Int32)?
    private var answer: Int32 = 0

    /// Runs `operation` off the fiber.
    private func park(_ operation: @escaping () -> Int32) -> Int32 {
        request = operation
        cf_fiber_park()
        request = nil
        return answer
    }

    private static func from(_ pointer: UnsafeMutableRawPointer) -> FakeScheduler {
        Unmanaged<FakeScheduler>.fromOpaque(pointer).takeUnretainedValue()  // alive while its fiber runs
    }

    private static var current: FakeScheduler { from(cf_fiber_current()!.pointee.owner) }

    /// Never freed and never changed after this.
    private nonisolated(unsafe) static let hooks: UnsafePointer<cbs_hook_table> = {
        let table = UnsafeMutablePointer<cbs_hook_table>.allocate(capacity: 1)
        table.initialize(
            to: cbs_hook_table(
                wait_fd: { FakeScheduler.current.wait($0, $1, until: $2) },
                sleep_until: { FakeScheduler.current.sleep(until: $0) },
                offload: { FakeScheduler.current.offload($0!, $1!, $2!) },
                will_close: { FakeScheduler.current.closedRanges.append($0...$1) },
                wait_begin: { _, _ in FakeWait().opaque() },
                wait_park: { FakeScheduler.current.park(FakeWait.at($0!), until: $1, isKillable: $2 != 0) },
                wait_wake: { FakeWait.at($0!).wake() },
                wait_end: { FakeWait.at($0!).end() },
                perform: { FakeScheduler.current.perform($0!) }))
        return UnsafePointer(table)
    }()

    private func wait(_ fd: Int32, _ events: Int32, until deadline: Int64) -> Int32 {
        waits.append(Wait(fd: fd, events: events))
        longestWait = max(
            longestWait, deadline == Int64.max ? deadline : deadline - monotonicNanoseconds())
        if let failure { return -failure }
        if let refusal = refusals[fd] { return -refusal }
        if spuriousWakes > 0 {
            spuriousWakes -= 1
            return events
        }
        return park { [self] in
            if !whenParked.isEmpty { whenParked.removeFirst()() }
            var entry = pollfd(fd: fd, events: Int16(events), revents: 0)
            let left = max(0, deadline - monotonicNanoseconds())
            let limit = deadline == Int64.max ? 60_000 : Int32((left + 999_999) / 1_000_000)
            let count = poll(&entry, 1, limit)
            #expect(count > 0 || deadline != Int64.max, "a wait without end was never served: \(fd)")
            return count > 0 ? events : 0
        }
    }

    private func sleep(until deadline: Int64) -> Int32 {
        sleeps.append(deadline)
        if let failure { return -failure }
        return park { [self] in
            if !whenParked.isEmpty { whenParked.removeFirst()() }
            let left = deadline - monotonicNanoseconds()
            if left > 0 {
                var duration = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
                _ = nanosleep(&duration, nil)
            }
            return 0
        }
    }

    private func park(_ wait: FakeWait, until deadline: Int64, isKillable: Bool) -> Int32 {
        parks.append(Park(deadline: deadline, isKillable: isKillable))
        if let failure, isKillable { return -failure }
        return park { [self] in
            if !whenParked.isEmpty { whenParked.removeFirst()() }
            let limit = min(deadline, monotonicNanoseconds() + 60_000_000_000)
            let isWoken = wait.block(until: limit)
            #expect(isWoken || limit == deadline, "a wait without end was never served")
            return isWoken ? 1 : 0
        }
    }

    private func offload(
        _ work: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void,
        _ release: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void,
        _ argument: UnsafeMutableRawPointer
    ) -> Int32 {
        offloads += 1
        if keepsWork {
            keptWork.append(KeptWork(work: work, release: release, argument: argument))
        } else {
            work(argument)
            release(argument)
        }
        return failure.map { -$0 } ?? 0
    }

    /// A failure, as for a killed fiber, does not keep an operation from being done.
    private func perform(_ operation: UnsafeMutablePointer<cbs_file_operation>) -> Int32 {
        if refusesOperations { return -EAGAIN }
        operations.append(operation.pointee.opcode)
        return park { [self] in
            if !whenParked.isEmpty { whenParked.removeFirst()() }
            cbs_file_operation_run(operation)
            return 0
        }
    }
}

/// A wait that another thread ends: an event descriptor.
private final class FakeWait: Sendable {
    private let event = eventfd(0, Int32(EFD_CLOEXEC))

    deinit { close(event) }

    /// With two ownerships, ended by wake() and end().
    func opaque() -> UnsafeMutableRawPointer {
        _ = Unmanaged.passRetained(self)
        return Unmanaged.passRetained(self).toOpaque()
    }

    static func at(_ pointer: UnsafeMutableRawPointer) -> FakeWait {
        Unmanaged.fromOpaque(pointer).takeUnretainedValue()  // the caller has an ownership
    }

    func block(until deadline: Int64) -> Bool {
        var entry = pollfd(fd: event, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, Int32(max(0, deadline - monotonicNanoseconds() + 999_999) / 1_000_000)) > 0
    }

    func wake() {
        var one: UInt64 = 1
        _ = write(event, &one, 8)
        end()
    }

    func end() { Unmanaged.passUnretained(self).release() }  // one that opaque() made
}

func monotonicNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

/// What `body` returned, and the seconds it took.
func timed<Result>(_ body: () -> Result) -> (result: Result, seconds: Double) {
    let start = monotonicNanoseconds()
    let result = body()
    return (result, Double(monotonicNanoseconds() - start) / 1e9)
}

/// Runs `body` on a fiber with fresh fake hooks.
@discardableResult
func onFiber(_ body: (FakeScheduler) -> Void) -> FakeScheduler {
    let scheduler = FakeScheduler()
    scheduler.run { body(scheduler) }
    return scheduler
}
