import CFibers
import CLinux
import ReactorCore

/// What runs fibers, one after the other, and rests in between: what a task costs to make, and a stack to map, is paid once
/// for many greenlets.
///
/// A fiber's code needs a task of its own: for task-local values, cancellation and identity. It does not need the steps of
/// that task, which cost more than all else of a switch. So where it can, the driver makes a task and keeps it from its
/// executor; the loop resumes the fiber by itself, with that task made the thread's current one, as the runtime makes it for
/// a step of the task. What the fiber wants done by `async` code is done by a `RequestRunner`. The task is run at the
/// end, to end it.
///
/// Where the runtime does not let itself be told, and for greenlets that inherit task-local values, which would need a runner
/// made for each request, the task is run as others are: each step resumes the fiber, or does what it asks for.
///
/// A resting driver's task has no task-local values, so it takes only greenlets whose spawner has none. A task that was
/// cancelled ends with its greenlet: it cannot be cancelled back.
@ReactorActor
final class FiberDriver {
    private let registry: GreenletRegistry
    let fiber = Fiber()
    @exclusivity(unchecked) private var task: Task<Void, Never>?
    /// The whole of the task, where it does not run.
    @exclusivity(unchecked) private var job: UnownedJob?
    /// The task between two steps, where it runs.
    @exclusivity(unchecked) private nonisolated(unsafe) var rest: UnsafeContinuation<Void, Never>?
    @exclusivity(unchecked) private var isReusable: Bool
    @exclusivity(unchecked) private var isOver = false
    /// By which a loop resumes the fiber. A stored property of a class stays where it is, so others may point at it: the
    /// task holds the driver.
    @exclusivity(unchecked) private var resumable = clinux_resumable()

    /// What has to come next.
    private enum Step {
        /// Nothing, until a loop resumes the fiber.
        case rest
        /// What the fiber asks for, and to go on with it then.
        case request
        case end
    }

    private init(
        _ greenlet: AnyGreenlet, _ body: @escaping @ReactorActor () -> (any Error)?,
        in registry: GreenletRegistry, isReusable: Bool
    ) {
        self.registry = registry
        self.isReusable = isReusable
        fiber.take(greenlet, body)
    }

    /// Makes `greenlet` run `body` on a fiber, in a coming turn, behind what is ready now.
    static func start(
        _ greenlet: AnyGreenlet, _ body: @escaping @ReactorActor () -> (any Error)?,
        in registry: GreenletRegistry
    ) {
        if TaskLocals.areBound {
            let driver = FiberDriver(greenlet, body, in: registry, isReusable: false)
            greenlet.stage = .onFiber(driver)
            driver.task = makeTask(on: greenlet.reactor) { await driver.drive() }
        } else if let driver = registry.restingDrivers.popLast() {
            greenlet.stage = .onFiber(driver)
            driver.fiber.take(greenlet, body)
            greenlet.reactor.enqueue(driver.resumableAddress)
        } else {
            let driver = FiberDriver(greenlet, body, in: registry, isReusable: true)
            greenlet.stage = .onFiber(driver)
            driver.makeOwnTask(on: greenlet.reactor)
        }
    }

    private func makeOwnTask(on reactor: Reactor) {
        guard registry.setsCurrentTask, clinux_can_set_current_task() != 0 else {
            task = Self.makeDetachedTask(on: reactor) { [self] in await drive() }
            return
        }
        job = reactor.heldBack {
            task = Self.makeDetachedTask(on: reactor) { [self] in await drive() }
        }
        // A task's job is the task.
        makeResumable(UnsafeMutableRawPointer(bitPattern: unsafeBitCast(job!, to: UInt.self)))
        reactor.enqueue(resumableAddress)
    }

    /// Apart from the isolated code above, or the region checker does not understand it; the next as well.
    nonisolated static func makeTask(
        on reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () async -> Void
    ) -> Task<Void, Never> {
        Task(executorPreference: reactor, operation: body)
    }

    nonisolated static func makeDetachedTask(
        on reactor: Reactor, _ body: @escaping @Sendable @ReactorActor () async -> Void
    ) -> Task<Void, Never> {
        Task.detached(executorPreference: reactor, operation: body)
    }

    private func makeResumable(_ task: UnsafeMutableRawPointer?) {
        // The task holds the driver.
        resumable.task = task
        resumable.owner = Unmanaged.passUnretained(self).toOpaque()
    }

    /// The fiber's task, by address.
    var taskAddress: UnsafeMutableRawPointer? { resumable.task }

    private var resumableAddress: UnsafeMutablePointer<clinux_resumable> {
        clinux_address_of_resumable(&resumable)
    }

    // MARK: The task, where it runs

    /// One function, for on return from each `async` function the runtime looks up the task's executor, under a lock.
    private func drive() async {
        if resumable.task == nil { makeResumable(clinux_current_task()) }
        while !isOver {
            switch goOn() {
            case .request: await fiber.makeRequest()
            // What the continuation takes of the task's memory lies above what the fiber's code has taken, and is given
            // back before that goes on: the order is the runtime's rule.
            case .rest: await withUnsafeContinuation(keep)
            case .end: isOver = true
            }
        }
        if let stack = fiber.stack.take() { registry.stacks.give(stack) }
    }

    /// Not isolated: an isolated function given to the standard library is checked each time it is called.
    private nonisolated func keep(_ rest: UnsafeContinuation<Void, Never>) { self.rest = rest }

    // MARK: The loop

    /// Goes on with a fiber that is not running. `runner`, which is at work, has just done what it had asked for.
    func resumeFiber(after runner: RequestRunner? = nil) {
        guard job != nil else { return step() }
        let outer = clinux_set_current_task(resumable.task)
        let next = goOn()
        // While the fiber's task is current: a new one may inherit its values.
        let nextRunner = next == .request ? RequestRunner.forRequest(in: registry, after: runner) : nil
        clinux_set_current_task(outer)
        switch next {
        case .rest: break
        case .request: nextRunner!.work(for: self, after: runner)  // made above
        case .end: end()
        }
    }

    /// Called by a runner that has done what the fiber had asked for.
    func requestHasEnded(by runner: RequestRunner) {
        let reactor = registry.reactor
        if reactor.isObserved {
            // In a step of its own, or it would be taken for one of the runner's.
            reactor.enqueue(resumableAddress)
        } else {
            resumeFiber(after: runner)
        }
    }

    /// Ends a driver that rests and has no work.
    func end() {
        isOver = true
        step()
    }

    /// Makes the task's next step, now.
    private func step() {
        let reactor = registry.reactor
        if let job {
            self.job = nil
            return job.runSynchronously(
                isolatedTo: reactor.asUnownedSerialExecutor(), taskExecutor: reactor.asUnownedTaskExecutor())
        }
        guard let rest else { preconditionFailure("a fiber is resumed whose driver is at work") }
        self.rest = nil
        reactor.resumeAtOnce(rest)
    }

    // MARK: The greenlet

    /// Begins or goes on with the greenlet, until it parks or has ended. The driver's task is the current one.
    private func goOn() -> Step {
        if fiber.isFresh {
            guard begin() else { return rested() }
        }
        switch fiber.resume() {
        case .parked: return .rest
        case .request: return .request
        case .end:
            let greenlet = fiber.finish()
            greenlet.end(throwing: fiber.takeFailure(), in: registry)
            return rested()
        }
    }

    private func rested() -> Step {
        guard isReusable, registry.canRestAnotherDriver else { return .end }
        if registry.restingDrivers.count >= StackCache.warmLimit, let stack = fiber.stack {
            cf_fiber_trim(stack)
        }
        registry.restingDrivers.append(self)
        return .rest
    }

    /// Prepares the fiber for its greenlet. False when the greenlet has ended instead, killed before or for want of a stack.
    private func begin() -> Bool {
        guard fiber.greenlet!.beginOnFiber() else {  // it is fresh
            _ = fiber.finish()
            return false
        }
        do {
            try fiber.ensureStack(from: registry.stacks)
            fiber.prepare(by: resumableAddress)
            return true
        } catch {
            fiber.finish().end(throwing: error, in: registry)
            return false
        }
    }

    /// Makes every wait of the running greenlet end with `error`, the current one too.
    func kill(throwing error: any Error) {
        isReusable = false
        fiber.kill(throwing: error)
        // For requests under way, and for `Task.isCancelled`.
        task?.cancel()
    }
}
