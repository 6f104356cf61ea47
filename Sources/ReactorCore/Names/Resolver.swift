/// Finds the addresses of host names: what `Reactor.resolve` asks, and `connectTCP` with it.
///
/// Install another with `Reactor.installResolver`: one that asks a service registry, or a test's. It is asked for
/// names only: numeric addresses and `localhost` never reach it, and a host it gets has the form of a name.
///
/// ```swift
/// struct Registry: Resolver {
///     let fallback: any Resolver
///     func resolve(host: String, port: Int, family: AddressFamily, timeout: Duration?) async throws
///         -> [ResolvedAddress]
///     {
///         if let address = services[host] { return [address] }
///         return try await fallback.resolve(host: host, port: port, family: family, timeout: timeout)
///     }
/// }
/// ```
public protocol Resolver: Sendable {
    /// The addresses of `host`, best first. Parks the calling task; reactor only.
    ///
    /// - Parameters:
    ///   - host: an ASCII name as the caller wrote it, perhaps with a trailing dot.
    ///   - port: goes into each address; 0 to 65535.
    ///   - family: which addresses are wanted.
    ///   - timeout: for the look-up itself, from the moment it runs; nil is no limit. Time spent behind other
    ///     look-ups does not count: a crawler's thousandth name has as long as its first.
    /// - Throws: `ReactorError` with code `nameNotFound`, `nameServiceFailed` when asking again may help,
    ///   `timedOut`, each naming the host; `CancellationError`, at once.
    @ReactorActor func resolve(
        host: String, port: Int, family: AddressFamily, timeout: Duration?
    ) async throws -> [ResolvedAddress]
}

/// Which addresses of a host are wanted.
public enum AddressFamily: Hashable, Sendable {
    /// Of either family.
    case any
    /// IPv4 only: A records.
    case ipv4
    /// IPv6 only: AAAA records.
    case ipv6
}
