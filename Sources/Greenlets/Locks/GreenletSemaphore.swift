import CLinux
public import ReactorCore

/// A number of permits, handed out first come, first served. gevent's Semaphore and, with a limit, BoundedSemaphore.
///
/// ```swift
/// let connections = GreenletSemaphore.bounded(3)
/// try await connections.withPermit { try await fetch(page) }
/// ```
/// A permit that is given back goes straight to whoever waits longest: nobody overtakes. A waiter that is cancelled,
/// killed or out of time before its turn takes none; one whose turn came before has its permit all the same. Permits
/// belong to nobody: another greenlet may give back what one took. Reactor only, but for `releaseFromThread()`.
@ReactorActor
public final class GreenletSemaphore {
    private let waiters = ParkingLine()
    private let reactor = Reactor.current
    /// Permits that nobody holds.
    @exclusivity(unchecked) public private(set) var availableCount: Int
    /// The most permits there can be; nil when each `release()` may make one more.
    public let limit: Int?

    /// The tasks that hold a permit, for reports, who took it last behind: of the last takers as many as there were
    /// permits to begin with. That is exact where permits are given back by who took them.
    @exclusivity(unchecked) private var takers: [UInt] = []
    private let takerLimit: Int
    /// With more permits than that, no report would be read.
    private static let longestReport = 16

    /// Makes a semaphore with `permits` permits; more come into being by `release()`.
    ///
    /// - Precondition: `permits` is not negative.
    public convenience init(_ permits: Int) { self.init(permits, limit: nil) }

    private init(_ permits: Int, limit: Int?) {
        precondition(permits >= 0, "GreenletSemaphore(\(permits)): the number of permits cannot be negative")
        availableCount = permits
        self.limit = limit
        takerLimit = permits > Self.longestReport ? 0 : permits
    }

    /// A semaphore of which no more permits can be given back than were taken.
    public static func bounded(_ permits: Int) -> GreenletSemaphore {
        GreenletSemaphore(permits, limit: permits)
    }

    /// How many wait for a permit.
    public var waiterCount: Int { waiters.count }

    // MARK: Taking

    /// Takes a permit if there is one. Whether there was. Never waits.
    public func tryAcquire() -> Bool {
        guard availableCount > 0 else { return false }
        availableCount -= 1
        note(clinux_current_task())
        return true
    }

    /// Parks the calling task until it has a permit.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; it has no permit then.
    public func acquire() async throws {
        if tryAcquire() { return }
        try await place().waitUntilOpen()
    }

    /// Parks the calling task until it has a permit or `timeout` is over. Whether it has one.
    ///
    /// - Throws: as `acquire()`.
    public func acquire(timeout: Duration?) async throws -> Bool {
        if tryAcquire() { return true }
        return try await place().waitUntilOpen(timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func acquire() throws {
        try Greenlet.inGreenlet {
            if tryAcquire() { return }
            try Greenlet.wait(for: place())
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func acquire(timeout: Duration?) throws -> Bool {
        try Greenlet.inGreenlet {
            if tryAcquire() { return true }
            return try Greenlet.wait(for: place(), timeout: timeout)
        }
    }

    /// Runs `body` with a permit and gives it back however `body` ends; parks the calling task until there is one.
    ///
    /// - Throws: as `acquire()`; what `body` throws.
    public func withPermit<Value: Sendable>(
        _ body: @ReactorActor () async throws -> Value
    ) async throws -> Value {
        try await acquire()
        defer { returnPermit() }
        return try await body()
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func withPermit<Value: Sendable>(_ body: @ReactorActor () throws -> Value) throws
        -> Value
    {
        try Greenlet.inGreenlet {
            try acquire()
            defer { returnPermit() }
            return try body()
        }
    }

    private func place() -> Latch {
        let place = Latch(on: reactor, for: .subject(self))
        waiters.append(place)
        return place
    }

    // MARK: Giving back

    /// Gives a permit to whoever waits longest, or back to the semaphore. Never waits.
    ///
    /// - Throws: `GreenletError` with code `notHeld` when that would make one more than the limit; never without a
    ///   limit.
    public func release() throws(GreenletError) {
        if let limit, availableCount == limit {
            throw GreenletError(
                .notHeld,
                "a permit is given back to a semaphore that has all its \(limit): release() once too often")
        }
        returnPermit()
    }

    /// Gives a permit back, soon, in the order of the calls of each thread. Any thread; never waits. One too many
    /// goes to `reactor.onUncaughtError`.
    public nonisolated func releaseFromThread() {
        reactor.callFromThread { try self.release() }
    }

    private func returnPermit() {
        forget(clinux_current_task())
        guard let place = waiters.first else {
            availableCount += 1
            return
        }
        note(place.task)
        place.open()
    }

    // MARK: Reports

    private func note(_ task: UnsafeMutableRawPointer?) {
        guard takerLimit > 0 else { return }
        if takers.count == takerLimit { takers.removeFirst() }
        takers.append(UInt(bitPattern: task))
    }

    private func forget(_ task: UnsafeMutableRawPointer?) {
        guard let index = takers.lastIndex(of: UInt(bitPattern: task)) ?? takers.indices.first else { return }
        takers.remove(at: index)
    }
}

extension GreenletSemaphore: WaitSubject {
    /// `a semaphore with 0 of 3 permits`.
    public nonisolated var waitDescription: String {
        // Called on the reactor, as the protocol says; the next as well.
        ReactorActor.assumeIsolated {
            "a semaphore with \(availableCount)" + (limit.map { " of \($0)" } ?? "") + " permits"
        }
    }

    /// The tasks that took a permit; with more than 16 permits, nobody.
    public nonisolated var holders: [UInt] { ReactorActor.assumeIsolated { takers } }
}
