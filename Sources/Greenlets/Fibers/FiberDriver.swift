import CFibers
import Glibc
import ReactorCore

/// A task that runs fibers, one after the other, and rests in between: what a task costs to make, and a stack to map, is
/// paid once for many greenlets.
///
/// A resting driver's task has no task-local values, so it takes only greenlets whose spawner has none; for others a task
/// is made that inherits them, and ends with the greenlet. One that was cancelled ends, too: a task cannot be cancelled
/// back.
@ReactorActor
final class FiberDriver {
    private let registry: GreenletRegistry
    @exclusivity(unchecked) private var fiber: Fiber?
    @exclusivity(unchecked) private var task: Task<Void, Never>?
    @exclusivity(unchecked) private var work: (greenlet: AnyGreenlet, body: @ReactorActor () -> Void)?
    @exclusivity(unchecked) private var rest: UnsafeContinuation<Void, Never>?
    @exclusivity(unchecked) private var isReusable: Bool

    private init(_ greenlet: AnyGreenlet, _ body: @escaping @ReactorActor () -> Void, isReusable: Bool) {
        registry = greenlet.registry
        work = (greenlet, body)
        self.isReusable = isReusable
    }

    /// Makes `greenlet` run `body` on a fiber, in a coming turn, behind what is ready now.
    static func start(_ greenlet: AnyGreenlet, _ body: @escaping @ReactorActor () -> Void) {
        if TaskLocals.areBound {
            let driver = FiberDriver(greenlet, body, isReusable: false)
            greenlet.driver = driver
            driver.task = makeTask(on: greenlet.reactor) { await driver.drive() }
        } else if let driver = greenlet.registry.restingDrivers.popLast() {
            greenlet.driver = driver
            driver.work = (greenlet, body)
            let rest = driver.rest!  // every driver in there has set it
            driver.rest = nil
            rest.resume()
        } else {
            let driver = FiberDriver(greenlet, body, isReusable: true)
            greenlet.driver = driver
            driver.task = makeDetachedTask(on: greenlet.reactor) { await driver.drive() }
        }
    }

    /// Apart from the isolated code above, or the region checker does not understand it; the next as well.
    private nonisolated static func makeTask(
        on reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () async -> Void
    ) -> Task<Void, Never> {
        Task(executorPreference: reactor, operation: body)
    }

    private nonisolated static func makeDetachedTask(
        on reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () async -> Void
    ) -> Task<Void, Never> {
        Task.detached(executorPreference: reactor, operation: body)
    }

    /// One function, for on return from each `async` function the runtime looks up the task's executor, under a lock.
    private func drive() async {
        let thread = pthread_self()
        while let (greenlet, body) = work {
            work = nil
            if let fiber = begin(greenlet, body) {
                while let wait = fiber.resume() {
                    switch wait {
                    case .latch(let latch): await withUnsafeContinuation(latch.park)
                    case .turn: await withUnsafeContinuation(Reactor.enqueueYielded)
                    case .request: await fiber.makeRequest()
                    }
                    precondition(
                        pthread_equal(pthread_self(), thread) != 0,
                        """
                        a synchronous greenlet was parked when its reactor was stopped, and the reactor now runs on \
                        another thread; run it on the same one, or let such greenlets end first
                        """)
                }
                fiber.finish(greenlet)
                greenlet.driver = nil
                greenlet.end(throwing: greenlet.failure)
            }
            guard isReusable, registry.canRestAnotherDriver else { break }
            if registry.restingDrivers.count >= StackCache.warmLimit, let fiber { cf_fiber_trim(fiber.stack) }
            await withUnsafeContinuation { continuation in
                rest = continuation
                registry.restingDrivers.append(self)
            }
        }
        if let fiber { registry.stacks.give(fiber.stack) }
        fiber = nil
    }

    /// The fiber, prepared for `body`; nil when the greenlet has ended instead, killed before or for want of a stack.
    private func begin(_ greenlet: AnyGreenlet, _ body: @escaping @ReactorActor () -> Void) -> Fiber? {
        guard greenlet.begin() else {
            greenlet.driver = nil
            return nil
        }
        do {
            let fiber = try self.fiber ?? Fiber(stack: registry.stacks.take())
            self.fiber = fiber
            fiber.prepare(greenlet, body)
            return fiber
        } catch {
            greenlet.driver = nil
            greenlet.end(throwing: error)
            return nil
        }
    }

    /// Makes every wait of the running greenlet end with `error`, the current one too.
    func kill(throwing error: any Error) {
        isReusable = false
        fiber?.kill(throwing: error)
        // For requests under way, and for `Task.isCancelled`.
        task?.cancel()
    }

    /// Ends a driver that rests.
    func end(on reactor: Reactor) {
        guard let rest else { return }
        self.rest = nil
        reactor.resumeAtOnce(rest)
    }

    /// The fiber at work, for reports.
    var currentFiber: Fiber? { fiber }
}
