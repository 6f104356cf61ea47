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
    /// Blocks until it knows; runs on a worker thread.
    package typealias LookUp =
        @Sendable (_ host: String, _ family: AddressFamily) throws(ReactorError) -> [ResolvedAddress]

    let lookUp: LookUp
    private let hosts: HostsFile
    /// The worker threads.
    let pool: ThreadPool
    private let lookUps = SharedLookUps()

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

        return try await lookUps.addresses(of: .init(name, family), timeout: timeout) {
            flight throws(ReactorError) in try depart(flight)
        }.map { $0.with(port: port) }
    }

    /// How many names are being looked up, or wait to be.
    var flightCount: Int { lookUps.count }

    /// Queues a look-up for a worker. One that a worker has cannot be ended.
    private func depart(_ flight: SharedLookUps.Flight) throws(ReactorError) -> () -> Bool {
        let reactor = Reactor.current
        let (lookUps, lookUp, query) = (lookUps, lookUp, flight.query)
        let ticket = try pool.enqueue {
            reactor.callFromThread { lookUps.begin(flight) }
            let result = Result { () throws(ReactorError) in try lookUp(query.host, query.family) }
            reactor.callFromThread { lookUps.land(flight, result.mapError { $0 }) }
        }
        return ticket.cancel
    }
}
