public import ReactorCore

/// Greenlets that can be waited for and killed together; who ends leaves. gevent's Group.
///
/// ```swift
/// let visitors = GreenletGroup()
/// for client in clients { visitors.spawn { try serve(client) } }
/// try await visitors.join()
/// ```
/// A greenlet may be in several groups. Dropping a group ends no greenlet. Reactor only.
@ReactorActor
public final class GreenletGroup {
    private var greenlets: [ObjectIdentifier: AnyGreenlet] = [:]
    /// Who waits for the group to be empty.
    private let joiners = ParkingLine()
    private let reactor = Reactor.current
    /// Calls of `kill` under way, and what they kill with: who joins meanwhile is killed too.
    private var killCount = 0
    private var killError: any Error = GreenletExit()
    /// Called as a greenlet leaves.
    private let onLeave: (@ReactorActor () -> Void)?

    /// Makes an empty group for greenlets of the current reactor.
    public convenience init() { self.init(onLeave: nil) }

    init(onLeave: (@ReactorActor () -> Void)?) { self.onLeave = onLeave }

    // MARK: Members

    /// How many greenlets are in it.
    public var count: Int { greenlets.count }
    /// Whether there is none.
    public var isEmpty: Bool { greenlets.isEmpty }

    /// Its greenlets, in the order they were spawned.
    ///
    /// - Complexity: O(n log n).
    public var members: [AnyGreenlet] { greenlets.values.sorted { $0.id < $1.id } }

    /// Whether `greenlet` is in it.
    public func contains(_ greenlet: AnyGreenlet) -> Bool { greenlets[ObjectIdentifier(greenlet)] != nil }

    /// Whether the calling greenlet is in it.
    var containsCaller: Bool { AnyGreenlet.current.map(contains) ?? false }

    /// Adds a greenlet, running or not; one that has ended is not added. Whether it came in. Never waits.
    @discardableResult
    public func add(_ greenlet: AnyGreenlet) -> Bool {
        guard !greenlet.isReady, greenlets.updateValue(greenlet, forKey: ObjectIdentifier(greenlet)) == nil
        else {
            return false
        }
        greenlet.attachments.add(self)
        if killCount > 0 { greenlet.cancel(throwing: killError) }
        return true
    }

    /// Takes a greenlet out, which goes on. Whether it was in. Never waits.
    @discardableResult
    public func discard(_ greenlet: AnyGreenlet) -> Bool {
        guard contains(greenlet) else { return false }
        greenlet.attachments.remove(self)
        remove(greenlet)
        return true
    }

    /// Spawns a greenlet with a synchronous body in the group, as `Greenlet.spawn`. Never waits.
    @discardableResult
    @inlinable public func spawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet<Value> {
        let greenlet = Greenlet.spawn(name: name, body, file: file, line: line)
        add(greenlet)
        return greenlet
    }

    /// Spawns a greenlet with an `async` body in the group, as `Greenlet.spawn`. Never waits.
    @discardableResult
    @inlinable public func spawn<Value: Sendable>(
        name: String? = nil, _ body: @escaping @ReactorActor () async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Greenlet<Value> {
        let greenlet = Greenlet.spawn(name: name, body, file: file, line: line)
        add(greenlet)
        return greenlet
    }

    /// Called as a greenlet ends or is taken out.
    func remove(_ greenlet: AnyGreenlet) {
        greenlets[ObjectIdentifier(greenlet)] = nil
        onLeave?()
        if greenlets.isEmpty { joiners.openAll() }
    }

    // MARK: Waiting

    /// Parks the calling task until the group is empty, or has been for a moment, or `timeout` is over. Whether it was.
    ///
    /// - Parameter throwingErrors: whether to throw the error of a greenlet that was in the group at the call and
    ///   failed, the first one spawned.
    /// - Throws: `CancellationError` when the calling task is cancelled; with `throwingErrors`, a greenlet's error.
    @discardableResult
    public func join(timeout: Duration? = nil, throwingErrors: Bool = false) async throws -> Bool {
        if isEmpty { return true }
        let present = throwingErrors ? members : []
        let isOver = try await place().waitUntilOpen(timeout: timeout)
        try checkErrors(of: present)
        return isOver
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func join(timeout: Duration? = nil, throwingErrors: Bool = false) throws -> Bool {
        try Greenlet.inGreenlet {
            if isEmpty { return true }
            let present = throwingErrors ? members : []
            let isOver = try Greenlet.wait(for: place(), timeout: timeout)
            try checkErrors(of: present)
            return isOver
        }
    }

    private func checkErrors(of greenlets: [AnyGreenlet]) throws {
        for case let failure? in greenlets.map(\.failure) where !(failure is GreenletExit) { throw failure }
    }

    private func place() -> Latch {
        let place = Latch(on: reactor, for: .subject(self))
        joiners.append(place)
        return place
    }

    // MARK: Killing

    /// Asks all greenlets of the group to end, as `AnyGreenlet.cancel`. Never waits.
    public func cancel(throwing error: any Error = GreenletExit()) {
        for greenlet in members { greenlet.cancel(throwing: error) }
    }

    /// Asks all greenlets of the group to end, those too that come in meanwhile, and parks the calling task until
    /// they have or `timeout` is over. Whether they have.
    ///
    /// A greenlet of the group that calls this is killed with the others, and waits for nobody.
    /// - Throws: `CancellationError` when the calling task is cancelled; the greenlets die all the same.
    @discardableResult
    public func kill(throwing error: any Error = GreenletExit(), timeout: Duration? = nil) async throws
        -> Bool
    {
        cancel(throwing: error)
        guard !containsCaller else { return false }
        let deadline = beginKill(error, timeout)
        defer { killCount -= 1 }
        // Again when somebody came in between: who waited for a slot of a pool, say.
        while !isEmpty {
            guard try await join(timeout: deadline.map { reactor.now.duration(to: $0) }) else { return false }
        }
        return true
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated func kill(throwing error: any Error = GreenletExit(), timeout: Duration? = nil) throws
        -> Bool
    {
        try Greenlet.inGreenlet {
            cancel(throwing: error)
            guard !containsCaller else { return false }
            let deadline = beginKill(error, timeout)
            defer { killCount -= 1 }
            while !isEmpty {
                guard try join(timeout: deadline.map { reactor.now.duration(to: $0) }) else { return false }
            }
            return true
        }
    }

    private func beginKill(_ error: any Error, _ timeout: Duration?) -> ReactorInstant? {
        killCount += 1
        killError = error
        return timeout.map { reactor.now.advanced(by: $0) }
    }
}

extension GreenletGroup: WaitSubject {
    /// `the end of 3 greenlets`.
    public nonisolated var waitDescription: String {
        // Called on the reactor, as the protocol says; the next as well.
        ReactorActor.assumeIsolated { "the end of \(count) greenlets" }
    }

    /// The tasks of its greenlets.
    public nonisolated var holders: [UInt] {
        ReactorActor.assumeIsolated { members.compactMap(\.taskAddress) }
    }
}
