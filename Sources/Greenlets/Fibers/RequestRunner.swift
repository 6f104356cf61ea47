import ReactorCore

/// A task that runs `async` code for fibers whose own tasks do not run, one request after the other, and rests in between.
///
/// It binds the greenlet for each. A request made where other task-local values are bound gets a runner of its own, whose
/// task inherits them. One that was cancelled ends: a task cannot be cancelled back.
@ReactorActor
final class RequestRunner {
    private let registry: GreenletRegistry
    private let isReusable: Bool
    @exclusivity(unchecked) private var task: Task<Void, Never>?
    /// The whole of the task, before it has begun.
    @exclusivity(unchecked) private var job: UnownedJob?
    /// The task between two requests.
    @exclusivity(unchecked) private nonisolated(unsafe) var rest: UnsafeContinuation<Void, Never>?
    /// For whose fiber it works.
    @exclusivity(unchecked) private var driver: FiberDriver?

    /// Whether it takes the next request when it has done with this one.
    @exclusivity(unchecked) private var canGoOn: Bool

    private init(_ registry: GreenletRegistry, isReusable: Bool) {
        self.registry = registry
        self.isReusable = isReusable
        canGoOn = isReusable
        job = registry.reactor.heldBack {
            let reactor = registry.reactor
            task =
                isReusable
                ? FiberDriver.makeDetachedTask(on: reactor) { [self] in await run() }
                : FiberDriver.makeTask(on: reactor) { [self] in await run() }
        }
    }

    /// One for a request of the fiber whose task is the current one. `runner` is at work, and about to end that.
    static func forRequest(in registry: GreenletRegistry, after runner: RequestRunner?) -> RequestRunner {
        if TaskLocals.areBound { return RequestRunner(registry, isReusable: false) }
        if let runner, runner.canGoOn { return runner }
        return registry.restingRunners.popLast() ?? RequestRunner(registry, isReusable: true)
    }

    /// Does what the fiber asks for: now; next, when it is `runner`, which is at work; or behind what is ready when another is:
    /// it would stand on that one's stack, the next on its own, and so on for as long as requests do not wait.
    func work(for driver: FiberDriver, after runner: RequestRunner?) {
        self.driver = driver
        driver.fiber.requestTask = task
        guard let runner, runner !== self else { return step() }
        if let job {
            self.job = nil
            registry.reactor.enqueueHeldBack(job)
        } else if let rest {
            self.rest = nil
            rest.resume()
        }
    }

    /// Ends a runner that rests.
    func end() { step() }

    private func step() {
        let reactor = registry.reactor
        if let job {
            self.job = nil
            job.runSynchronously(
                isolatedTo: reactor.asUnownedSerialExecutor(), taskExecutor: reactor.asUnownedTaskExecutor())
        } else if let rest {
            self.rest = nil
            reactor.resumeAtOnce(rest)
        }
    }

    private func run() async {
        while let driver {
            let fiber = driver.fiber
            let greenlet = fiber.greenlet!  // it has asked
            let reactor = registry.reactor
            let isObserved = reactor.isObserved
            if isObserved { reactor.observeRequest(of: driver.taskAddress, greenlet.label) }
            if isReusable { greenlet.bindCurrent() }
            await fiber.takeRequest()()
            if isReusable { AnyGreenlet.unbindCurrent() }
            if isObserved { reactor.observeRequestEnd() }
            fiber.requestTask = nil
            canGoOn = isReusable && !Task.isCancelled
            self.driver = nil
            // Which may give it the next.
            driver.requestHasEnded(by: self)
            if self.driver != nil { continue }
            guard canGoOn, registry.canRestAnotherRunner else { break }
            registry.restingRunners.append(self)
            await withUnsafeContinuation(keep)
        }
    }

    /// Not isolated: an isolated function given to the standard library is checked each time it is called.
    private nonisolated func keep(_ rest: UnsafeContinuation<Void, Never>) { self.rest = rest }
}
