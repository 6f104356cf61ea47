/// The system's `getaddrinfo`, called where it is asked: gevent's `block`.
///
/// It blocks the loop, and every greenlet with it, for as long as a look-up takes, which with a dead name server is many seconds.
/// For tools that have nothing else to do, and for finding out whether another resolver is to blame.
@ReactorActor
public final class BlockingResolver: Resolver {
    private let lookUp: SystemResolver.LookUp

    /// Makes a resolver.
    public nonisolated convenience init() {
        self.init { host, family throws(ReactorError) in try AddressLookUp.run(host, family).get() }
    }

    nonisolated init(lookUp: @escaping SystemResolver.LookUp) { self.lookUp = lookUp }

    /// As the protocol says, but blocks the thread. `timeout` is not looked at: nothing can end the call.
    public func resolve(
        host: String, port: Int, family: AddressFamily, timeout: Duration?
    ) async throws -> [ResolvedAddress] {
        try Task.checkCancellation()
        return try lookUp(try HostName(host).text, family).map { $0.with(port: port) }
    }
}
