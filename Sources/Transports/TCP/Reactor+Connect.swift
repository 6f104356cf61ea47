import Glibc
import Greenlets
import NIOCore
public import ReactorCore

extension Reactor {
    /// Connects to a TCP server and gives the connection to a new protocol. Parks the calling task; reactor only.
    ///
    /// The host's addresses are tried in the system's order, each with its share of the time left.
    /// - Parameters:
    ///   - host: a name or an IP address.
    ///   - timeout: for everything: the look-up of the name and all attempts.
    ///   - makeProtocol: called when the connection stands.
    /// - Returns: the protocol, after its `connectionMade`.
    /// - Throws: `TransportError` with code `connectFailed`, naming each address and its cause; `connectTimedOut`;
    ///   `ReactorError` with code `nameNotFound` or `nameServiceFailed`; `CancellationError`. In each case no socket stays open.
    @ReactorActor public func connectTCP<P: ConnectionProtocol>(
        _ host: String, port: Int, timeout: Duration = .seconds(30), options: TCPOptions = TCPOptions(),
        _ makeProtocol: @ReactorActor () -> P
    ) async throws -> P {
        let transport = try await connect(host, port: port, timeout: timeout, options: options)
        let connectionProtocol = makeProtocol()
        transport.attach(connectionProtocol)
        return connectionProtocol
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @ReactorActor public func connectTCP<P: ConnectionProtocol>(
        _ host: String, port: Int, timeout: Duration = .seconds(30), options: TCPOptions = TCPOptions(),
        _ makeProtocol: @ReactorActor () -> P
    ) throws -> P {
        try Greenlet.blockingCall {
            try await self.connectTCP(host, port: port, timeout: timeout, options: options, makeProtocol)
        }
    }

    /// A connection without a protocol: nothing is received before `attach`.
    @ReactorActor package func connect(
        _ host: String, port: Int, timeout: Duration, options: TCPOptions
    ) async throws -> TCPTransport {
        let deadline = now.advanced(by: timeout)
        let target = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let timedOut = TransportError(.connectTimedOut, "connecting to \(target) took longer than \(timeout)")
        let addresses: [ResolvedAddress]
        do {
            addresses = try await resolve(host: host, port: port, timeout: nil, until: deadline)
        } catch let error as ReactorError where error.isTimeout {
            throw timedOut
        }
        var failures: [String] = []
        var lastErrno: Int32?
        for (index, address) in addresses.enumerated() {
            let left = now.duration(to: deadline)
            guard left > .zero else { throw timedOut }
            let result = try await attempt(
                address, timeout: left / (addresses.count - index), options: options)
            switch result {
            case .connected(let transport): return transport
            case .failed(let code):
                lastErrno = code
                failures.append("\(address): \(errnoText(code))")
            case .timedOut where index == addresses.count - 1 && failures.isEmpty: throw timedOut
            case .timedOut: failures.append("\(address): no answer in time")
            }
        }
        let name = addresses.count == 1 && addresses[0].host == host ? "" : "\(target) at "
        throw TransportError(
            .connectFailed, "cannot connect to \(name)\(failures.joined(separator: "; "))", errno: lastErrno)
    }

    private enum Attempt {
        case connected(TCPTransport)
        case failed(Int32)
        case timedOut
    }

    /// One address. Closes its socket unless it is connected.
    @ReactorActor private func attempt(
        _ address: ResolvedAddress, timeout: Duration, options: TCPOptions
    ) async throws -> Attempt {
        let fd = Socket.make(family: address.family)
        guard fd >= 0 else { return .failed(-fd) }
        var isConnected = false
        defer {
            if !isConnected {
                descriptorWillClose(fd)
                close(fd)
            }
        }
        let result = address.withSockAddr { Glibc.connect(fd, $0, $1) == 0 ? 0 : errno }
        // EINTR does not end the attempt: it goes on in the background, as with EINPROGRESS (POSIX).
        if result == EINPROGRESS || result == EINTR {
            do {
                try await waitUntilWritable(fd, timeout: timeout)
            } catch let error as ReactorError where error.isTimeout {
                return .timedOut
            }
        } else if result != 0 {
            return .failed(result)
        }
        let error = Socket.takeError(fd)
        guard error == 0 else { return .failed(error) }
        var peer = sockaddr_storage()
        withUnsafeMutableBytes(of: &peer) { $0.copyBytes(from: address.bytes) }
        guard let host = Socket.localAddress(fd), let peer = SocketAddress(&peer) else {
            return .failed(ENOTCONN)
        }
        isConnected = true
        return .connected(TCPTransport(self, fd: fd, host: host, peer: peer, options: options))
    }
}
