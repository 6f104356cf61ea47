/// A resolver that asks name servers itself, on the loop: no thread, and a look-up that is given up is really over.
///
/// ```swift
/// reactor.installResolver(.native)     // or REACTOR_RESOLVER=native in the environment
/// ```
/// Reads /etc/hosts and /etc/resolv.conf, anew when they have changed; what else nsswitch.conf names it does not know. Asks for
/// IPv4 and IPv6 addresses at the same time, by UDP, and by TCP when an answer is cut short; the next server when one fails or is
/// silent. Answers are remembered for as long as their servers say, those that there is nothing too, up to a limit; however many
/// tasks ask for one name and family at a time, one look-up answers all. Addresses come in the order of RFC 6724.
///
/// Belongs to one reactor. No DNSSEC: who wants it checked asks a server that checks it.
@ReactorActor
public final class NativeResolver: Resolver {
    private let hosts: HostsFile
    private var file: ChangingFile?
    private var configuration: NameServerConfiguration
    private var cache: DNSCache
    private let lookUpLimit: Int
    private let lookUps = SharedLookUps()
    private var nextServer = 0
    private var runningCount = 0
    private let queue = ParkingLine()
    private let preference: AddressPreference

    /// Makes a resolver; asks nobody yet.
    ///
    /// - Parameters:
    ///   - configuration: which servers are asked, and how; nil for what /etc/resolv.conf says.
    ///   - cacheLimit: how many answers are remembered; zero for none.
    ///   - lookUpLimit: how many names are looked up at once, each with two sockets; the others wait, first come, first served.
    public nonisolated convenience init(
        configuration: NameServerConfiguration? = nil, cacheLimit: Int = 1024, lookUpLimit: Int = 64
    ) {
        self.init(
            configuration: configuration, hostsPath: "/etc/hosts", resolvConfPath: "/etc/resolv.conf",
            cacheLimit: cacheLimit, lookUpLimit: lookUpLimit)
    }

    nonisolated init(
        configuration: NameServerConfiguration?, hostsPath: String, resolvConfPath: String,
        cacheLimit: Int = 1024, lookUpLimit: Int = 64,
        preference: AddressPreference = AddressPreference(source: AddressPreference.source)
    ) {
        self.configuration = configuration ?? NameServerConfiguration()
        file = configuration == nil ? ChangingFile(path: resolvConfPath) : nil
        hosts = HostsFile(path: hostsPath)
        cache = DNSCache(limit: max(0, cacheLimit))
        self.lookUpLimit = max(1, lookUpLimit)
        self.preference = preference
    }

    /// As the protocol says. Time spent behind other look-ups does not count. When the last task that waits for a look-up gives
    /// up, it is over, and its sockets are closed.
    public func resolve(
        host: String, port: Int, family: AddressFamily, timeout: Duration?
    ) async throws -> [ResolvedAddress] {
        try Task.checkCancellation()
        let name = try HostName(host)
        let known = hosts.addresses(of: name.canonical, family)
        if !known.isEmpty { return known.map { $0.with(port: port) } }

        return try await lookUps.addresses(of: .init(name, family), timeout: timeout) { depart($0, name) }
            .map { $0.with(port: port) }
    }

    /// Forgets all answers. Reactor only; never waits.
    public func removeCachedAnswers() { cache.removeAll() }

    /// How many answers are remembered, those that are out of date included.
    public var cachedAnswerCount: Int { cache.count }

    /// How many names are being looked up, or wait to be.
    var flightCount: Int { lookUps.count }

    private func depart(_ flight: SharedLookUps.Flight, _ name: HostName) -> () -> Bool {
        let reactor = Reactor.current
        let task = reactor.startTask { [self] in
            let result: Result<[ResolvedAddress], any Error>
            do {
                try await takePlace(reactor)
                defer { givePlace() }
                lookUps.begin(flight)
                let found = try await lookUp(reactor).addresses(of: name, flight.query.family)
                result = .success(preference.sorted(found))
            } catch { result = .failure(error) }
            lookUps.land(flight, result)
        }
        return {
            task.cancel()
            return true
        }
    }

    private func takePlace(_ reactor: Reactor) async throws {
        if runningCount < lookUpLimit {
            runningCount += 1
        } else {
            let latch = Latch(on: reactor, for: .name)
            queue.append(latch)
            try await latch.waitUntilOpen()  // the place is handed over with it
        }
    }

    private func givePlace() {
        if !queue.openFirst() { runningCount -= 1 }
    }

    private func lookUp(_ reactor: Reactor) -> DNSLookUp {
        if let text = file?.changedText() {
            configuration = NameServerConfiguration(resolvConf: text)
            cache.removeAll()
        }
        var servers = configuration.servers
        if servers.isEmpty { servers = [ResolvedAddress(numeric: "127.0.0.1", port: 53)!] }  // an address
        if configuration.rotatesServers {
            let start = nextServer % servers.count
            nextServer = start + 1
            servers = Array(servers[start...] + servers[..<start])
        }
        return DNSLookUp(reactor: reactor, configuration: configuration, servers: servers) { question in
            self.cache.outcome(of: question, at: reactor.now)
        } remember: { question, outcome in
            self.cache.remember(outcome, of: question, at: reactor.now)
        }
    }
}
