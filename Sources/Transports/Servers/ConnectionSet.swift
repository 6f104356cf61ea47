public import ReactorCore

/// The connections a server has open: how many, and a way to see them all gone. Shared by both styles of server.
///
/// Reactor only.
@ReactorActor
public final class ConnectionSet {
    private var members: [ObjectIdentifier: any Transport] = [:]
    private var waiters: [Waiter<Bool>] = []
    private let reactor: Reactor
    /// Called after each change of `count`.
    var onChange: (@ReactorActor () -> Void)?

    init(_ reactor: Reactor) { self.reactor = reactor }

    /// How many connections are open.
    public var count: Int { members.count }

    /// Whether none is open.
    public var isEmpty: Bool { members.isEmpty }

    /// The open connections, in no order.
    public var transports: [any Transport] { Array(members.values) }

    func insert(_ transport: any Transport) {
        members[ObjectIdentifier(transport)] = transport
        onChange?()
    }

    func remove(_ transport: any Transport) {
        members[ObjectIdentifier(transport)] = nil
        if members.isEmpty {
            let woken = waiters
            waiters = []
            for waiter in woken { waiter.resume(returning: true) }
        }
        onChange?()
    }

    /// Parks until no connection is open or `timeout` is over. True when none is open.
    ///
    /// - Throws: `CancellationError` when the calling task is cancelled; connections stay as they are.
    public func waitUntilEmpty(timeout: Duration? = nil) async throws -> Bool {
        if members.isEmpty { return true }
        let waiter = Waiter<Bool>(on: reactor)
        waiters.append(waiter)
        let timer = timeout.map { limit in
            reactor.callLater(max(.zero, limit)) { waiter.resume(returning: false) }
        }
        defer {
            timer?.cancelIfActive()
            waiters.removeAll { $0 === waiter }
        }
        return try await waiter.wait()
    }

    /// Aborts every connection.
    public func abortAll() { for transport in transports { transport.abortConnection() } }

    /// Asks, waits, then aborts: the one way in which servers end their connections.
    ///
    /// Cancelling the calling task ends the wait as if the grace period were over. Returns when every connection is gone,
    /// with the number of those aborted.
    func drain(gracePeriod: Duration, _ ask: () -> Void, atTheEnd: () -> Void = {}) async -> Int {
        ask()
        // A cancelled wait counts as a grace period that is over.
        if (try? await waitUntilEmpty(timeout: gracePeriod)) == true { return 0 }
        let survivors = count
        atTheEnd()
        abortAll()
        // Aborting ends each in the next turn, so this wait is short; it must not be cut off by the same cancellation.
        while !isEmpty { await reactor.yield() }
        return survivors
    }
}
