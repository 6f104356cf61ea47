import CFibers
import CLinux
import Glibc
package import ReactorCore

/// Synchronous code on a stack of its own, driven by a Swift task.
///
/// When the code must wait it leaves a request and switches back to its driver; the driver, an ordinary
/// `async` function, awaits the request and switches in again. Task-local values, `Task.isCancelled` and the
/// runtime's exclusivity records are the driver task's, so inside the fiber they work as in any task. A fiber
/// never leaves its reactor's thread.
@ReactorActor
package final class Fiber {
    private let stack: UnsafeMutablePointer<cf_fiber>
    private var body: (@ReactorActor () -> Void)?
    private var request: (@ReactorActor () async -> Void)?
    /// The driver, by address.
    private let driver = clinux_current_task()

    /// Once set, every wait of this fiber ends with this error at once: a kill cannot unwind C frames, so it
    /// stays until the fiber has returned through them.
    package var killError: (any Error)?

    private init(stack: UnsafeMutablePointer<cf_fiber>) { self.stack = stack }

    /// Runs `body` on a fiber of the current reactor; the calling task is its driver and returns when it has
    /// ended.
    ///
    /// - Parameter started: receives the fiber before `body` runs, so that it can be killed.
    /// - Throws: `GreenletError` with code `outOfStacks` when no stack can be mapped; `body` has not run
    ///   then.
    package static func run(started: (Fiber) -> Void = { _ in }, _ body: @escaping @ReactorActor () -> Void)
        async throws
    {
        let cache = StackCache.of(.current)
        let fiber = Fiber(stack: try cache.take())
        started(fiber)
        fiber.body = body
        cf_fiber_prepare(
            fiber.stack,
            { argument in
                // run(_:) below holds the fiber until it has finished.
                let fiber = Unmanaged<Fiber>.fromOpaque(argument!).takeUnretainedValue()
                ReactorActor.assumeIsolated { fiber.runBody() }
            }, Unmanaged.passUnretained(fiber).toOpaque())
        // Read back by `current`, while this function holds the fiber.
        fiber.stack.pointee.owner = Unmanaged.passUnretained(fiber).toOpaque()
        let thread = pthread_self()
        while cf_fiber_resume(fiber.stack) == 0 {
            let request = fiber.request!  // a fiber parks only in await(_:), which sets it
            fiber.request = nil
            await request()
            precondition(
                pthread_equal(pthread_self(), thread) != 0,
                """
                a synchronous greenlet was parked when its reactor was stopped, and the reactor now runs on another \
                thread; run it on the same one, or let such greenlets end first
                """)
        }
        cache.give(fiber.stack)
    }

    private func runBody() {
        let body = self.body!  // set by run(_:) before the first switch
        self.body = nil
        body()
    }

    /// The fiber whose code is running, or nil off fibers. Any thread.
    package nonisolated static var current: Fiber? {
        guard let owner = cf_fiber_current()?.pointee.owner else { return nil }
        // The driver holds the fiber while its code runs, and only its own thread finds it here.
        return Unmanaged<Fiber>.fromOpaque(owner).takeUnretainedValue()
    }

    /// Whether a fiber's code is running on this thread. Any thread.
    package nonisolated static var isRunning: Bool { cf_fiber_current() != nil }

    /// Parks this fiber while its driver runs `operation`; returns its outcome. Must be called by the fiber's
    /// own code.
    ///
    /// - Throws: what `operation` throws; `killError`, before `operation` begins, once the fiber has been
    ///   killed, and in the place of the cancellation that a kill makes `operation` throw; `GreenletError` with code
    ///   `notInGreenlet` in a callback that runs on this fiber's stack, but in a task of its own.
    package func await<Value>(_ operation: @ReactorActor () async throws -> Value) throws -> Value {
        var value: Value?
        try park { value = try await operation() }
        return value!  // it is set, or park(while:) has thrown
    }

    /// As `await`, of an operation that leaves its value elsewhere. Not generic, so that no type is looked up while a
    /// greenlet waits.
    func park(while operation: @ReactorActor () async throws -> Void) throws {
        if let killError { throw killError }
        // A callback that was added where task-local values were bound runs in a task that has them, which knows
        // nothing of the switch: the runtime would take it for the current one on the driver's side, too.
        guard clinux_current_task() == driver else {
            throw GreenletError(
                .notInGreenlet,
                """
                a Deferred's callback waited as synchronous code does, and it was added where task-local values were \
                bound: add an async callback, which may wait, or start a greenlet in it by deferToGreenlet { … }
                """)
        }
        var failure: (any Error)?
        withoutActuallyEscaping(operation) { operation in
            request = {
                do { try await operation() } catch { failure = error }
            }
            cf_fiber_park()
        }
        // The driver resumes only after the request has ended.
        guard let failure else { return }
        if let killError, DeferredError.isCancellation(failure) { throw killError }
        throw failure
    }

    /// Bytes mapped for a stack unless REACTOR_STACK_SIZE says otherwise: address space, of which only
    /// touched pages cost memory.
    ///
    /// libpq with SCRAM and TLS needs 15 KiB; unoptimised Swift with string formatting several times as much.
    package nonisolated static let stackSize: Int = {
        let fallback = 256 * 1024
        guard let text = getenv("REACTOR_STACK_SIZE"), let size = Int(String(cString: text)) else {
            return fallback
        }
        return max(size, 32 * 1024)
    }()
}

extension AnyGreenlet {
    /// Runs `body` on a fiber. The error, should there be no stack for it; `body` has not run then.
    @usableFromInline func runOnFiber(_ body: @escaping @ReactorActor () -> Void) async -> (any Error)? {
        do {
            try await Fiber.run(started: { fiber = $0 }, body)
            return nil
        } catch { return error }
    }
}
