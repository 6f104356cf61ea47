import CBlockingShims
import Glibc
import Greenlets
import ReactorCore

/// The hooks of all fibers. The C side asks for them by name when a shim is first called on a fiber, so linking is installing.
@_cdecl("cbs_default_hooks")
func defaultHooks() -> UnsafePointer<cbs_hook_table> {
    FiberHooks.table
}

/// How a shim's wait parks its fiber: nanosecond deadlines to durations, errors to errno.
///
/// Every function here is called by C on a reactor's thread, on a fiber where nothing else is said, and answers 0 (or what the C header says) or −errno.
enum FiberHooks {
    /// Unsafe: made once, never changed, never freed.
    nonisolated(unsafe) static let table: UnsafePointer<cbs_hook_table> = {
        BlockingShims.readEnvironment()  // once, and before any shim has parked
        let table = UnsafeMutablePointer<cbs_hook_table>.allocate(capacity: 1)
        // C never passes null functions.
        table.initialize(
            to: cbs_hook_table(
                wait_fd: { FiberHooks.wait(for: $1, of: $0, until: $2) },
                sleep_until: { FiberHooks.sleep(until: $0) },
                offload: { FiberHooks.offload(OffloadedCall($0!, $1!, $2)) },
                will_close: { first, last in
                    // Also called off fibers, on a reactor's thread.
                    ReactorActor.assumeIsolated { Reactor.current.descriptorsAreClosing(first...last) }
                },
                wait_begin: { type, lock in
                    let lock = lock.map { FiberLock(type, $0) }
                    return ReactorActor.assumeIsolated { FiberWait(on: .current, for: lock) }.opaque()
                },
                wait_park: { FiberHooks.park(FiberWait.at($0!), until: $1, isKillable: $2 != 0) },
                wait_wake: { FiberWait.at($0!).wake() },
                wait_end: { FiberWait.at($0!).end() },
                perform: { FiberHooks.perform($0!) })
        )
        return UnsafePointer(table)
    }()

    private static func wait(for events: Int32, of fd: Int32, until deadline: Int64) -> Int32 {
        var interest: ReadySet = []
        if events & POLLIN != 0 { interest.insert(.readable) }
        if events & POLLOUT != 0 { interest.insert(.writable) }
        let timeout = time(until: deadline)
        return park(onTimeout: 0) { fiber in
            guard let wait = try Reactor.current.beginWait(for: interest, of: fd, timeout: timeout) else {
                return -EPERM
            }
            defer { wait.end() }
            try fiber.wait(for: wait.waiter)
            let ready = wait.waiter.ready
            return (ready.contains(.readable) ? POLLIN : 0) | (ready.contains(.writable) ? POLLOUT : 0)
        }
    }

    private static func sleep(until deadline: Int64) -> Int32 {
        let duration = time(until: deadline) ?? .seconds(Int64.max)
        return park(onTimeout: -ETIMEDOUT) { _ in
            if duration > .zero { try Greenlet.sleep(for: duration) } else { try Greenlet.yield() }
            return 0
        }
    }

    private static func offload(_ call: OffloadedCall) -> Int32 {
        park(onTimeout: -ETIMEDOUT) { fiber in
            try fiber.await { try await Reactor.current.threadPool.run { call.run() } }
            return 0
        }
    }

    private static func park(_ wait: FiberWait, until deadline: Int64, isKillable: Bool) -> Int32 {
        // A fiber of another scheduler has hooks of its own.
        guard let fiber = Fiber.current else { return -ENOSYS }
        let timeout = time(until: deadline)
        func parkUntilWoken() -> Int32 {
            park(onTimeout: -ETIMEDOUT) { try wait.parkUntilWoken($0, for: timeout) ? 1 : 0 }
        }
        if isKillable { return parkUntilWoken() }
        return ReactorActor.assumeIsolated { fiber.withShield { parkUntilWoken() } }
    }

    private static func perform(_ operation: UnsafeMutablePointer<cbs_file_operation>) -> Int32 {
        guard let fiber = Fiber.current else { return -ENOSYS }
        // The operation and what it points to are the parked fiber's, which does not go on before it is done.
        nonisolated(unsafe) let operation = operation
        return ReactorActor.assumeIsolated {
            do {
                try fiber.withShield { try perform(operation, fiber) }
                return 0
            } catch { return -EAGAIN }
        }
    }

    @ReactorActor private static func perform(
        _ operation: UnsafeMutablePointer<cbs_file_operation>, _ fiber: Fiber
    ) throws {
        let reactor = Reactor.current
        if let call = FileOperation(operation.pointee) {
            operation.pointee.result = Int64(try fiber.await { await reactor.perform(call) })
        } else {
            let end = Latch(on: reactor, for: .thread)
            nonisolated(unsafe) let operation = operation  // as above
            try reactor.threadPool.submit {
                cbs_file_operation_run(operation)
                reactor.callFromThread { end.open() }
            }
            try fiber.wait(for: end)
        }
    }

    /// Runs `operation`, which parks the running fiber; an error becomes −errno.
    private static func park(onTimeout: Int32, _ operation: @ReactorActor (Fiber) throws -> Int32) -> Int32 {
        // A fiber of another scheduler has hooks of its own.
        guard let fiber = Fiber.current else { return -ENOSYS }
        return ReactorActor.assumeIsolated {
            if let interruption = fiber.interruption { return code(ofInterruption: interruption) }
            do {
                return try operation(fiber)
            } catch {
                if let interruption = fiber.interruption { return code(ofInterruption: interruption) }
                return code(of: error, onTimeout: onTimeout)
            }
        }
    }

    private static func code(of error: any Error, onTimeout: Int32) -> Int32 {
        // Of code on the fiber's stack that runs in a task of its own, only waits for locks come here; they block then.
        if (error as? GreenletError)?.code == .notInGreenlet { return -ENOSYS }
        guard let error = error as? ReactorError else { return -ECANCELED }
        switch error.code {
        case .timedOut: return onTimeout
        case .descriptorClosed: return -EBADF
        case .descriptorBusy: return -EBUSY
        default: return -(error.errno ?? EAGAIN)
        }
    }

    private static func code(ofInterruption error: any Error) -> Int32 {
        let isTimeout =
            error is TimeoutError || (error as? GreenletError)?.isTimeout ?? false
            || (error as? ReactorError)?.isTimeout ?? false
        return isTimeout ? -ETIMEDOUT : -ECANCELED
    }

    /// The time left until a deadline of CLOCK_MONOTONIC, or nil for "never".
    private static func time(until deadline: Int64) -> Duration? {
        guard deadline != Int64.max else { return nil }
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return max(.zero, .nanoseconds(deadline) - .seconds(now.tv_sec) - .nanoseconds(now.tv_nsec))
    }
}

extension FileOperation {
    /// The same for the reactor's engine; nil for what only threads do: several parts, flags of their own, opens, which may
    /// meet a FIFO.
    fileprivate init?(_ operation: cbs_file_operation) {
        let offset = operation.offset == -1 ? nil : operation.offset
        switch operation.opcode {
        case CBS_FILE_READ where operation.count == 1 && operation.flags == 0:
            let part = operation.parts[0]
            self = .read(
                operation.fd, into: UnsafeMutableRawBufferPointer(start: part.iov_base, count: part.iov_len),
                at: offset)
        case CBS_FILE_WRITE where operation.count == 1 && operation.flags == 0:
            let part = operation.parts[0]
            self = .write(
                operation.fd, UnsafeRawBufferPointer(start: part.iov_base, count: part.iov_len), at: offset)
        case CBS_FILE_SYNC: self = .synchronize(operation.fd)
        case CBS_FILE_SYNC_DATA: self = .synchronize(operation.fd, dataOnly: true)
        default: return nil
        }
    }
}
