import Glibc
import ReactorCore

extension GreenSocket {
    /// Connects to a TCP server. Parks until a connection stands. Python's `create_connection`.
    ///
    /// The host's addresses are tried in the resolver's order, each with its share of the time left.
    /// - Parameters:
    ///   - host: a name, which the reactor resolves, or an IP address.
    ///   - timeout: for everything, the look-up included; nil for no limit. The socket's own `timeout` is not set by it.
    ///   - source: the address to connect from, perhaps with port 0; addresses of another family are not tried then.
    /// - Throws: `GreenletError` with code `connectFailed`, whose message names host, port, and each address with its cause, and
    ///   whose `causes` has the errors of all attempts; `timedOut`; `invalidArgument`; `ReactorError` of the look-up;
    ///   `CancellationError`. No socket stays open.
    public static func connect(
        to host: String, port: Int, timeout: Duration? = nil, from source: Address? = nil
    ) async throws -> GreenSocket {
        let reactor = Reactor.current
        let deadline = timeout.map { reactor.now.advanced(by: $0) }
        let target = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let addresses: [ResolvedAddress]
        do {
            addresses = try await reactor.resolve(
                host: host, port: port, family: try lookUpFamily(of: source), timeout: nil, until: deadline)
        } catch let error as ReactorError where error.isTimeout {
            throw connectTimeout(target, timeout, error.message)
        }
        var failures: [(address: ResolvedAddress, error: GreenletError)] = []
        for (index, address) in addresses.enumerated() {
            let left = deadline.map { reactor.now.duration(to: $0) }
            if let left, left <= .zero { throw connectTimeout(target, timeout, describe(failures)) }
            do {
                return try await connect(
                    to: .internet(address), timeout: left.map { $0 / (addresses.count - index) }, from: source
                )
            } catch let error as GreenletError { failures.append((address, error)) }
        }
        if failures.allSatisfy({ $0.error.isTimeout }) {
            throw connectTimeout(target, timeout, describe(failures))
        }
        throw GreenletError(
            .connectFailed, "cannot connect to \(target): \(describe(failures))",
            errno: failures.last?.error.errno, causes: failures.map(\.error))
    }

    /// Connects to a server of the kind `.stream` at an address of any family. Parks until the connection stands.
    ///
    /// - Throws: `GreenletError` with code `systemCall`, which names the address; `timedOut`; `invalidArgument`;
    ///   `CancellationError`. No socket stays open.
    public static func connect(
        to address: Address, timeout: Duration? = nil, from source: Address? = nil
    ) async throws -> GreenSocket {
        let socket = try GreenSocket(address.family, .stream)
        do {
            if let source { try socket.bind(to: source) }
            try await socket.connect(to: address, timeout: timeout)
            return socket
        } catch {
            socket.close()
            throw error
        }
    }

    /// Connects this socket; parks until it is. Of one of the kind `.datagram` it only says whom to send to and to hear.
    ///
    /// - Throws: `GreenletError` with code `systemCall` (ECONNREFUSED, EISCONN), which names the address; `timedOut`; `closed`;
    ///   `busy`; `invalidArgument`; `CancellationError`. A stream's connect that was begun goes on then: close the socket.
    public func connect(to address: Address, timeout: Duration? = nil) async throws {
        try await perform("connect to \(address)", .writable, timeout) { call in
            var pause = Duration.milliseconds(1)
            while true {
                guard fd >= 0 else { throw closedError(call.name) }
                let code = try SocketCalls.connect(fd, address)
                switch code {
                case 0: return
                case EAGAIN:
                    // A Unix listener's queue is full, and the kernel does not tell when it no longer is.
                    if let deadline = call.deadline, reactor.now >= deadline { throw timeoutError(call) }
                    try await reactor.sleep(for: pause)
                    pause = min(pause * 2, .milliseconds(50))
                case EINPROGRESS, EINTR:
                    // EINTR does not end the attempt: it goes on in the background, as with EINPROGRESS (POSIX).
                    try await wait(call)
                    guard fd >= 0 else { throw closedError(call.name) }
                    let error = SocketCalls.takeError(fd)
                    guard error == 0 else { throw GreenletError(systemCall: call.name, error) }
                    return
                default: throw GreenletError(systemCall: call.name, code)
                }
            }
        }
    }

    private static func lookUpFamily(of source: Address?) throws -> AddressFamily {
        switch source?.family {
        case nil: return .any
        case .ipv4: return .ipv4
        case .ipv6: return .ipv6
        case .unix:
            throw GreenletError(
                .invalidArgument, "\(source!) is no address to connect to a host from: give an IP address")
        }
    }

    private static func describe(_ failures: [(address: ResolvedAddress, error: GreenletError)]) -> String {
        failures.map { failure in
            let error = failure.error
            let reason = error.isTimeout ? "no answer in time" : error.errno.map(errnoText) ?? error.message
            return "\(failure.address): \(reason)"
        }.joined(separator: "; ")
    }

    private static func connectTimeout(_ target: String, _ timeout: Duration?, _ reason: String)
        -> GreenletError
    {
        GreenletError(
            .timedOut,
            "timed out: connecting to \(target) took longer than \(timeout ?? .zero)"
                + (reason.isEmpty ? "" : ": \(reason)"), errno: ETIMEDOUT)
    }
}
