/// The default resolver: /etc/hosts, then the system's `getaddrinfo` on a few worker threads of its own.
///
/// The system's means DNS and whatever else nsswitch.conf names, in the order of preference of RFC 6724;
/// entries of /etc/hosts come in the order of the file and need no thread. Look-ups wait for a thread in the
/// order they were asked for; however many tasks ask for one name and family at a time, one look-up answers
/// all. It has a pool of its own because a dead name server holds its threads for many seconds: other
/// work in threads goes on meanwhile.
///
/// Belongs to one reactor.
@ReactorActor
public final class SystemResolver: Resolver {
    /// One look-up, queued or running, and who waits for it.
    @ReactorActor private final class Flight {
        var waiters: [UInt64: Passenger] = [:]
        var ticket: ThreadPool.Ticket?
        var hasBegun = false
        nonisolated init() {}
    }

    private struct Passenger {
        let waiter: Waiter<[ResolvedAddress]>
        let timeout: Duration?
        var timer: DelayedCall?
    }

    private struct Query: Hashable {
        let host: String
        let family: AddressFamily
    }

    /// Blocks until it knows; runs on a worker thread.
    package typealias LookUp =
        @Sendable (_ host: String, _ family: AddressFamily) throws(ReactorError) -> [ResolvedAddress]

    let lookUp: LookUp
    private let hosts: HostsFile
    /// The worker threads.
    let pool: ThreadPool
    private var flights: [Query: Flight] = [:]
    private var lastPassenger: UInt64 = 0

    /// Makes a resolver; no thread is started.
    ///
    /// - Parameter threads: how many look-ups run at once, at least one.
    public nonisolated convenience init(threads: Int = 4) {
        self.init(threads: threads, hostsPath: "/etc/hosts") { host, family throws(ReactorError) in
            try AddressLookUp.run(host, family).get()
        }
    }

    package nonisolated init(threads: Int, hostsPath: String, lookUp: @escaping LookUp) {
        pool = ThreadPool(limit: threads)
        hosts = HostsFile(path: hostsPath)
        self.lookUp = lookUp
    }

    /// As the protocol says. A task that gives up, by cancellation or time-out, leaves the look-up to the others
    /// that wait for it; when the last one leaves, a queued look-up is dropped, and one that runs ends on its
    /// own and disturbs nothing but its thread.
    public func resolve(
        host: String, port: Int, family: AddressFamily, timeout: Duration?
    ) async throws -> [ResolvedAddress] {
        try Task.checkCancellation()
        let name = try HostName(host)
        let known = hosts.addresses(of: name.canonical, family)
        if !known.isEmpty { return known.map { $0.with(port: port) } }

        // The trailing dot makes a difference to the search list; capitals make none.
        let query = Query(host: name.text.lowercased(), family: family)
        let flight = try flights[query] ?? depart(query)
        lastPassenger += 1
        let number = lastPassenger
        let waiter = Waiter<[ResolvedAddress]>(on: .current, for: .name)
        flight.waiters[number] = Passenger(waiter: waiter, timeout: timeout)
        if flight.hasBegun { startTimer(of: number, on: flight, query) }
        defer { leave(number, flight, query) }
        return try await waiter.wait().map { $0.with(port: port) }
    }

    /// How many names are being looked up, or wait to be.
    var flightCount: Int { flights.count }

    private func depart(_ query: Query) throws(ReactorError) -> Flight {
        let flight = Flight()
        let reactor = Reactor.current
        let lookUp = lookUp
        flight.ticket = try pool.enqueue {
            reactor.callFromThread { self.begin(flight, query) }
            let result = Result { () throws(ReactorError) in try lookUp(query.host, query.family) }
            reactor.callFromThread { self.land(flight, query, result) }
        }
        flights[query] = flight
        return flight
    }

    /// A worker has taken the look-up: now the time of its waiters runs.
    private func begin(_ flight: Flight, _ query: Query) {
        flight.hasBegun = true
        for number in flight.waiters.keys { startTimer(of: number, on: flight, query) }
    }

    private func startTimer(of number: UInt64, on flight: Flight, _ query: Query) {
        guard let passenger = flight.waiters[number], let timeout = passenger.timeout else { return }
        flight.waiters[number]?.timer = Reactor.current.callLater(max(.zero, timeout)) {
            passenger.waiter.resume(
                throwing: ReactorError(
                    .timedOut,
                    "looking up the host \(String(reflecting: query.host)) took longer than \(timeout)"))
        }
    }

    private func land(_ flight: Flight, _ query: Query, _ result: Result<[ResolvedAddress], ReactorError>) {
        flights[query] = nil
        for passenger in flight.waiters.values {
            switch result {
            case .success(let addresses): passenger.waiter.resume(returning: addresses)
            case .failure(let error): passenger.waiter.resume(throwing: error)
            }
        }
    }

    private func leave(_ number: UInt64, _ flight: Flight, _ query: Query) {
        flight.waiters.removeValue(forKey: number)?.timer?.cancelIfActive()
        guard flight.waiters.isEmpty, flights[query] === flight else { return }
        // False when a worker has it: then it lands in its time, and who asks meanwhile joins it.
        if flight.ticket?.cancel() == true { flights[query] = nil }
    }
}
