public import ReactorCore

/// The connections a server has open: how many, and the one way in which servers end them. Shared by both styles.
///
/// Reactor only.
@ReactorActor
public final class ConnectionSet {
    /// One connection, with what its style of server does to end it.
    struct Member {
        let transport: any Transport
        /// Asks it to end when its work is done.
        let finish: @ReactorActor () -> Void
        /// Ends it now.
        let abort: @ReactorActor () -> Void
    }

    private var members: [ObjectIdentifier: Member] = [:]
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
    public var transports: [any Transport] { members.values.map(\.transport) }

    func insert(_ member: Member) {
        members[ObjectIdentifier(member.transport)] = member
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

    /// Asks every connection to finish, waits, then aborts those left. Returns how many those were.
    ///
    /// Cancelling the calling task ends the wait as if the grace period were over.
    func drain(gracePeriod: Duration) async -> Int {
        for member in Array(members.values) { member.finish() }
        if (try? await waitUntilEmpty(timeout: gracePeriod)) == true { return 0 }
        let survivors = members.count
        for member in Array(members.values) { member.abort() }
        // An aborted connection is gone in the next turn and a killed handler at its next wait. One that never waits
        // must not hold up the program's end, and the cancellation that brought us here must not cut this short.
        let patience = reactor.startTask { [self] in _ = try? await waitUntilEmpty(timeout: .seconds(1)) }
        await patience.value
        return survivors
    }
}
