import CLinux
import Glibc

extension Reactor {
    /// Looks up the addresses of `host`, best first; the calling task parks. Reactor only.
    ///
    /// Numeric addresses and, after RFC 6761, `localhost` and the names below it are answered here, at once;
    /// names go to the installed resolver, by default that of `ReactorConfiguration.resolver`, `SystemResolver`: /etc/hosts, then the system's resolver
    /// on a few threads of its own, in the order of preference of RFC 6724.
    /// - Parameters:
    ///   - host: an IP address, without brackets, or an ASCII name; a trailing dot keeps search domains out.
    ///   - port: goes into each address.
    ///   - family: which addresses are wanted.
    ///   - timeout: for the look-up, from the moment it runs; the time it waits for a thread does not count.
    ///   - deadline: when the caller gives up, wherever the look-up is.
    /// - Returns: at least one address.
    /// - Throws: `ReactorError` with code `nameNotFound` when the host has no address (of the family), or
    ///   cannot have one, such as "" or "a..b"; `nameServiceFailed` when no name server could say and asking
    ///   again may help; `timedOut`; `invalidArgument` for a port that is none. Each names the host and the cause.
    ///   `CancellationError`, at once. A look-up given up ends on its own and disturbs nothing.
    @ReactorActor public func resolve(
        host: String, port: Int, family: AddressFamily = .any, timeout: Duration? = .seconds(60),
        until deadline: ReactorInstant? = nil
    ) async throws -> [ResolvedAddress] {
        if let known = try localAddresses(of: host, port, family) { return known }
        let resolver = resolver
        let found: [ResolvedAddress]
        if let deadline {
            let late = ReactorError(
                .timedOut, "the host \(String(reflecting: host)) was not found before the deadline")
            found = try await withDeadline(after: now.duration(to: deadline), late) {
                try await resolver.resolve(host: host, port: port, family: family, timeout: timeout)
            }
        } else {
            found = try await resolver.resolve(host: host, port: port, family: family, timeout: timeout)
        }
        guard !found.isEmpty else {
            throw ReactorError(
                .nameNotFound, "the host \(String(reflecting: host)) has no address: its resolver found none")
        }
        return found
    }

    /// Who looks names up for this reactor. Reactor only.
    @ReactorActor public var resolver: any Resolver {
        if let resolver = installedResolver { return resolver }
        let resolver = configuration.resolver.makeResolver()
        installedResolver = resolver
        return resolver
    }

    /// Makes `resolver` look names up from now on; look-ups under way stay with the last one. Returns that one,
    /// to put it back or to ask it in turn. Reactor only; never waits. Twisted's `installNameResolver`.
    @ReactorActor @discardableResult
    public func installResolver(_ resolver: any Resolver) -> any Resolver {
        defer { installedResolver = resolver }
        return self.resolver
    }

    /// The addresses of hosts that nobody need be asked about; nil for all others.
    @ReactorActor private func localAddresses(
        of host: String, _ port: Int, _ family: AddressFamily
    ) throws(ReactorError) -> [ResolvedAddress]? {
        if let address = try SystemResolver.numericAddress(of: host, port: port, family: family) {
            return [address]
        }
        guard try HostName(host).isLocalhost else { return nil }
        let loopback = LoopbackAddresses.usable(port: port).filter { $0.isOf(family) }
        guard !loopback.isEmpty else {
            throw ReactorError(
                .nameNotFound,
                "the host \(String(reflecting: host)) has no address of the family \(family) on this machine")
        }
        return loopback
    }

    /// Runs `body`, cancelling it after `limit`; its end is awaited, then `error` is thrown.
    @ReactorActor package func withDeadline<Value: Sendable>(
        after limit: Duration, _ error: @autoclosure @escaping () -> ReactorError,
        _ body: @escaping @Sendable @ReactorActor () async throws -> Value
    ) async throws -> Value {
        let task = startTask { () async -> Result<Value, any Error> in
            do { return .success(try await body()) } catch { return .failure(error) }
        }
        var isOver = false
        let timer = callLater(max(.zero, limit)) {
            isOver = true
            task.cancel()
        }
        defer { timer.cancelIfActive() }
        let result = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        if case .failure = result, isOver { throw error() }
        return try result.get()
    }
}

/// This machine, as it calls itself.
private enum LoopbackAddresses {
    /// The loopback addresses that can be reached, IPv6 first as RFC 6724 has it.
    static func usable(port: Int) -> [ResolvedAddress] {
        ["::1", "127.0.0.1"].compactMap { ResolvedAddress(numeric: $0, port: port) }.filter(isReachable)
    }

    /// A datagram socket is "connected" by finding a route: nothing is sent. Machines without IPv6 have none.
    private static func isReachable(_ address: ResolvedAddress) -> Bool {
        let fd = socket(address.family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { return false }
        defer { close(fd) }
        return address.with(port: 9).withSockAddr { connect(fd, $0, $1) == 0 }
    }
}
