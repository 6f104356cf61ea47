public import ReactorCore

/// Looks names up for greenlets: `getaddrinfo` looks like a blocking call and parks the greenlet. geventreactor's
/// GeventResolver.
///
/// ```swift
/// reactor.installResolver(GreenletResolver())                      // for all that connects by name
/// let addresses = try resolver.addresses(of: "example.org", port: 80)   // in a greenlet, or on any thread
/// ```
/// glibc's resolver cannot be made to park, so the look-up runs on one of a few threads of the resolver's own, and the
/// greenlet waits for that. It works without a reactor, too: a thread that runs none is blocked. Belongs to one reactor.
@ReactorActor
public final class GreenletResolver: Resolver {
    /// Twisted's: four tries, after 1, 3, 11 and 45 seconds, of which only the sum counts: 60 seconds in all.
    public nonisolated static let defaultTimeouts: [Duration] = [
        .seconds(1), .seconds(3), .seconds(11), .seconds(45),
    ]

    /// The time a look-up may take in all, from the call on: the sum of the time-outs given.
    public nonisolated let timeLimit: Duration
    private nonisolated let system: SystemResolver

    /// Makes a resolver; no thread is started.
    ///
    /// - Parameters:
    ///   - timeouts: as Twisted's resolvers have them; only their sum counts.
    ///   - threads: how many look-ups run at once, at least one.
    public nonisolated convenience init(
        timeouts: [Duration] = GreenletResolver.defaultTimeouts, threads: Int = 4
    ) {
        self.init(SystemResolver(threads: threads), timeouts)
    }

    nonisolated init(_ system: SystemResolver, _ timeouts: [Duration]) {
        self.system = system
        timeLimit = timeouts.reduce(.zero, +)
    }

    /// As the protocol says, and no longer than `timeLimit`, the time the look-up waits for a thread included.
    ///
    /// - Throws: as the protocol says.
    public func resolve(
        host: String, port: Int, family: AddressFamily, timeout: Duration?
    ) async throws -> [ResolvedAddress] {
        let system = system
        return try await Reactor.current.withDeadline(
            after: timeLimit,
            ReactorError(
                .timedOut,
                "looking up the host \(String(reflecting: host)) took longer than \(self.timeLimit)")
        ) {
            try await system.resolve(host: host, port: port, family: family, timeout: timeout)
        }
    }

    /// The addresses of `host`, best first: of a name, or the one that a numeric host spells. Twisted's `getHostByName`, with
    /// all of them.
    ///
    /// In a greenlet with a synchronous body it parks the greenlet; on a thread that runs no reactor it blocks the thread, and
    /// needs no reactor at all. `async` code on a reactor uses `Reactor.resolve`.
    /// - Throws: `ReactorError` with code `nameNotFound`, `nameServiceFailed`, `timedOut` after `timeLimit`, `invalidArgument`
    ///   for a port that is none; the killer's error; `GreenletError` with code `notInGreenlet` on a reactor's thread outside a
    ///   greenlet, which must not be blocked.
    public nonisolated func addresses(
        of host: String, port: Int = 0, family: AddressFamily = .any
    ) throws -> [ResolvedAddress] {
        if Greenlet<Never>.isInFiber {
            return try Greenlet.blockingCall { [self] in
                if let address = try SystemResolver.numericAddress(of: host, port: port, family: family) {
                    return [address]
                }
                return try await resolve(host: host, port: port, family: family, timeout: nil)
            }
        }
        guard !Reactor.isOnAnyReactorThread else { throw Greenlet<Never>.notInGreenlet }
        return try system.resolveBlocking(host: host, port: port, family: family, timeout: timeLimit)
    }
}
