public import ReactorCore

/// Where the greenlets of one `withGreenlets` are spawned. Reactor only.
@ReactorActor
public final class GreenletScope {
    private let reactor = Reactor.current
    private var members: [Int: AnyGreenlet] = [:]
    /// What has failed, in order; without what is only a consequence.
    private var errors: [any Error] = []
    /// Ends what the body waits for, while it runs.
    private var interruptBody: (@ReactorActor () -> Void)?
    /// Open once the last member has ended; made when somebody waits for that.
    private var emptiness: Latch?
    private var isClosed = false
    /// Whether its greenlets are being ended: one has failed, or the body, or the scope was cancelled.
    @exclusivity(unchecked) public private(set) var isCancelled = false

    init() {}

    /// The greenlets spawned here that have not ended, oldest first.
    public var greenlets: [AnyGreenlet] { members.values.sorted { $0.id < $1.id } }

    /// Spawns a greenlet with a synchronous body, which the scope waits for. Never waits.
    ///
    /// Its error ends the scope. Killed alone, by `GreenletExit`, it ends alone.
    /// - Throws: `GreenletError` with code `scopeClosed` when the scope is over, or its greenlets are being ended: nothing new
    ///   begins then.
    @discardableResult
    public func spawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(GreenletError) -> Greenlet<Value> {
        try checkIsOpen(CallSite(file, line))
        let greenlet = Greenlet.spawn(name: name, body, file: file, line: line)
        add(greenlet)
        return greenlet
    }

    /// As the synchronous form, with an `async` body.
    @discardableResult
    public func spawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(GreenletError) -> Greenlet<Value> {
        try checkIsOpen(CallSite(file, line))
        let greenlet = Greenlet.spawn(name: name, body, file: file, line: line)
        add(greenlet)
        return greenlet
    }

    /// Ends what runs in the scope: its greenlets are killed, and the body's waits end with `CancellationError`. No error of
    /// the scope: a body that returns all the same has its value returned. Never waits.
    public func cancel() {
        guard !isCancelled, !isClosed else { return }
        isCancelled = true
        for greenlet in greenlets { greenlet.cancel() }
        interruptBody?()
    }

    private func checkIsOpen(_ site: CallSite) throws(GreenletError) {
        if isClosed {
            throw GreenletError(
                .scopeClosed, "a greenlet is spawned at \(site) in a scope that is over")
        }
        guard isCancelled else { return }
        let reason = errors.first.map { "it has failed: \($0)" } ?? "it was cancelled"
        throw GreenletError(
            .scopeClosed, "a greenlet is spawned at \(site) in a scope that is being ended: \(reason)")
    }

    private func add(_ greenlet: AnyGreenlet) {
        members[greenlet.id] = greenlet
        greenlet.onEnd { [self, unowned greenlet] in hasEnded(greenlet) }
    }

    private func hasEnded(_ greenlet: AnyGreenlet) {
        members[greenlet.id] = nil
        if let error = greenlet.failure, !(error is GreenletExit) { fail(with: error) }
        if members.isEmpty { emptiness?.open() }
    }

    /// Notes an error and ends the rest.
    private func fail(with error: any Error) {
        if !isConsequence(error) { errors.append(error) }
        cancel()
    }

    /// Whether an error only says that the scope is being ended.
    private func isConsequence(_ error: any Error) -> Bool {
        guard isCancelled else { return false }
        return DeferredError.isCancellation(error) || error is GreenletExit
            || (error as? GreenletError)?.code == .scopeClosed
    }

    // MARK: async

    func run<Value: Sendable>(
        _ body: @ReactorActor (GreenletScope) async throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        let task = TaskScope<Value>()
        interruptBody = { task.cancel() }
        let result: Result<Value, any Error>
        do { result = .success(try await task.run { try await body(self) }) } catch {
            result = .failure(error)
            bodyHasFailed(with: error, isKilled: Task.isCancelled && DeferredError.isCancellation(error))
        }
        interruptBody = nil
        var killError: (any Error)?
        do { try await latch()?.waitUntilOpen() } catch {
            killError = error
            cancel()
            try? await latch()?.waitUntilOpenUncancellably()
        }
        isClosed = true
        return try outcome(result, killError)
    }

    // MARK: synchronous

    func run<Value: Sendable>(
        in fiber: Fiber, _ body: @ReactorActor (GreenletScope) throws -> Value
    ) throws -> Value {
        if let interruption = fiber.interruption { throw interruption }
        interruptBody = { fiber.interrupt() }
        let result: Result<Value, any Error>
        do { result = .success(try fiber.within(self) { try body(self) }) } catch {
            result = .failure(error)
            let interruption = fiber.interruption
            bodyHasFailed(with: error, isKilled: interruption.map { isSame(error, $0) } ?? false)
        }
        interruptBody = nil
        var killError: (any Error)?
        do {
            if let latch = latch() { try fiber.wait(for: latch) }
        } catch {
            killError = error
            cancel()
            if let latch = latch() { try? fiber.waitUncancellably(for: latch) }
        }
        isClosed = true
        return try outcome(result, killError)
    }

    private func isSame(_ error: any Error, _ interruption: any Error) -> Bool {
        DeferredError.isCancellation(error) || type(of: error) == type(of: interruption)
    }

    // MARK: Parts of both

    /// That the caller was killed is no error of the scope's: it is what it throws if nothing else has failed.
    private func bodyHasFailed(with error: any Error, isKilled: Bool) {
        if isKilled { cancel() } else { fail(with: error) }
    }

    private func latch() -> Latch? {
        guard !members.isEmpty else { return nil }
        let latch = Latch(on: reactor, for: .subject(self))
        emptiness = latch
        return latch
    }

    private func outcome<Value>(_ result: Result<Value, any Error>, _ killError: (any Error)?) throws -> Value
    {
        switch errors.count {
        case 0: break
        case 1: throw errors[0]
        default: throw GreenletScopeError(errors: errors)
        }
        if let killError { throw killError }
        return try result.get()
    }
}

extension GreenletScope: Limit {
    var isOver: Bool { isCancelled }
    var interruption: any Error { CancellationError() }
}

extension GreenletScope: WaitSubject {
    /// `the end of 3 greenlets of a scope`.
    public nonisolated var waitDescription: String {
        // Called on the reactor, as the protocol says; so is the next.
        ReactorActor.assumeIsolated { "the end of \(members.count) greenlets of a scope" }
    }

    /// The tasks of its greenlets.
    public nonisolated var holders: [UInt] {
        ReactorActor.assumeIsolated { greenlets.flatMap(\.holders) }
    }
}
