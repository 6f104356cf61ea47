public import ReactorCore

/// A greenlet without the type of its value: what `Greenlet.current` and the registry know.
///
/// Reactor only.
@ReactorActor
public class AnyGreenlet {
    /// Small number, unique in its reactor while the greenlet lives.
    public nonisolated let id: Int
    /// The name given at spawn, or `greenlet-ID`.
    public nonisolated var name: String { givenName ?? "greenlet-\(id)" }
    /// The greenlet that spawned this one.
    public nonisolated let parentID: Int?
    /// Where it was spawned: `Module/File.swift:12`.
    public nonisolated var spawnLocation: String { "\(file):\(line)" }

    private nonisolated let givenName: String?
    private nonisolated let file: StaticString
    private nonisolated let line: UInt
    let reactor: Reactor

    /// Set by the first kill; the error the greenlet will end with.
    private(set) var killError: (any Error)?
    var fiber: Fiber?
    private var cancelTask: (@ReactorActor () -> Void)?
    var completionWaiters: [Waiter<Void>] = []

    /// Whether the body has begun.
    public internal(set) var isStarted = false
    /// Whether the greenlet has ended, by return, error or kill.
    public internal(set) var isReady = false

    init(name: String?, file: StaticString, line: UInt) {
        reactor = .current
        let registry = GreenletRegistry.of(reactor)
        id = registry.nextID()
        givenName = name
        parentID = Self.current?.id
        self.file = file
        self.line = line
    }

    /// The greenlet that runs the calling code, or nil outside any. Child tasks (`async let`, groups) see
    /// their parent's.
    @TaskLocal public static var current: AnyGreenlet?

    /// Starts the task that runs `body` once and never again.
    func start(_ body: @escaping @ReactorActor () async -> Void) {
        let registry = GreenletRegistry.of(reactor)
        registry.add(self)
        let task = reactor.startTask { [self] in
            await Self.$current.withValue(self) { await body() }
            isReady = true
            cancelTask = nil
            fiber = nil
            registry.remove(self)
            let waiters = completionWaiters
            completionWaiters = []
            for waiter in waiters { waiter.resume(returning: ()) }
        }
        cancelTask = { task.cancel() }
    }

    /// Asks the greenlet to end and returns at once; gevent's `kill(block=False)`. Never waits.
    ///
    /// Not begun: its body never runs. Parked: its wait ends now, with `error` in synchronous code and
    /// `CancellationError` in `async` code. Parked in a C library: the call it waits in fails with ECANCELED,
    /// as do all later ones, until the library has returned to Swift. Running: at its next wait. Ended:
    /// nothing happens. The first error given stays.
    public func cancel(throwing error: any Error = GreenletExit()) {
        guard !isReady, killError == nil else { return }
        killError = error
        fiber?.killError = error
        cancelTask?()
    }

    /// `cancel`, then parks the calling task until the greenlet has ended; gevent's `kill()`.
    ///
    /// A greenlet that kills itself does not wait for its own end.
    /// - Throws: `CancellationError` when the calling task is cancelled meanwhile; the greenlet dies all the
    ///   same.
    public func kill(throwing error: any Error = GreenletExit()) async throws {
        cancel(throwing: error)
        guard Self.current !== self else { return }
        try await join()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func kill(throwing error: any Error = GreenletExit()) throws {
        try Greenlet.blockingCall { try await self.kill(throwing: error) }
    }

    /// Parks the calling task until the greenlet has ended, however it ended, or `timeout` is over. True when
    /// it has ended.
    ///
    /// - Throws: `CancellationError` when the calling task is cancelled.
    @discardableResult
    public func join(timeout: Duration? = nil) async throws -> Bool {
        if isReady { return true }
        let waiter = Waiter<Void>(on: reactor)
        completionWaiters.append(waiter)
        let timer = timeout.map { limit in
            reactor.callLater(max(.zero, limit)) { waiter.resume(returning: ()) }
        }
        defer {
            timer?.cancelIfActive()
            completionWaiters.removeAll { $0 === waiter }
        }
        try await waiter.wait()
        return isReady
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func join(timeout: Duration? = nil) throws -> Bool {
        try Greenlet.blockingCall { try await self.join(timeout: timeout) }
    }
}
