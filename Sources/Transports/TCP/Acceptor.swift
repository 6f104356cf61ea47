import Glibc
import Logging
import NIOCore
import ReactorCore

/// A connection that was just accepted; its taker makes a transport of it or refuses it.
@ReactorActor
struct AcceptedSocket {
    fileprivate let reactor: Reactor
    fileprivate let fd: Int32
    let host: SocketAddress
    let peer: SocketAddress
    fileprivate let options: TCPOptions

    func makeTransport() -> TCPTransport {
        TCPTransport(reactor, fd: fd, host: host, peer: peer, options: options)
    }

    func refuse() { close(fd) }
}

/// A listening socket and its accept loop: hands each connection's descriptor on, survives what goes wrong meanwhile.
@ReactorActor
final class Acceptor {
    /// Connections taken in one turn, so that a flood of them leaves the turn to others.
    private static let acceptsPerTurn = 100

    let localAddress: SocketAddress
    private(set) var isListening = true

    private let reactor: Reactor
    private let fd: Int32
    /// A descriptor kept for the moment when there is none left: closing it makes room to accept a connection and close
    /// it. Left in the queue, the connection would keep the socket readable, and the loop spinning, for as long.
    private var reserve: Int32
    private let options: TCPOptions
    private let onConnection: @ReactorActor (AcceptedSocket) -> Void
    /// Somebody asked for a pause.
    private var isPaused = false
    /// The system has no room for connections; `retryTimer` ends it.
    private var isBackingOff = false
    private var isReading = true
    private var retryTimer: DelayedCall?
    private var lastWarning: ReactorInstant?
    private let logger = Logger(label: "transports.accept")

    init(
        _ reactor: Reactor, host: String, port: Int, options: TCPOptions,
        _ onConnection: @escaping @ReactorActor (AcceptedSocket) -> Void
    ) throws(TransportError) {
        let address = try Self.address(host, port)
        let fd = Socket.make(family: address.protocol == .inet6 ? AF_INET6 : AF_INET)
        guard fd >= 0 else { throw Self.cannotListen(address, -fd) }
        Socket.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
        // The any-address of IPv6 takes IPv4 too, whatever net.ipv6.bindv6only says.
        if address.protocol == .inet6 { Socket.setOption(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        var result = Socket.bind(fd, address)
        if result == 0, listen(fd, 4096) != 0 { result = -errno }
        guard result == 0, let local = Socket.localAddress(fd) else {
            close(fd)
            throw Self.cannotListen(address, -result)
        }
        self.reactor = reactor
        self.fd = fd
        self.localAddress = local
        self.options = options
        self.onConnection = onConnection
        reserve = Self.openReserve()
        do {
            try reactor.addReader(fd) { [self] in acceptMany() }
        } catch {
            close(fd)
            close(reserve)
            throw TransportError(
                .cannotListen, "cannot listen on \(address.hostAndPort): \(error)", underlying: error)
        }
    }

    /// Stops for good. Connections still in the kernel's queue are reset by it.
    func stop() {
        guard isListening else { return }
        isListening = false
        isReading = false
        retryTimer?.cancelIfActive()
        reactor.descriptorWillClose(fd)
        close(fd)
        if reserve >= 0 { close(reserve) }
    }

    /// Leaves new connections in the kernel's queue until `resume()`.
    func pause() {
        isPaused = true
        updateReading()
    }

    /// Ends `pause()`.
    func resume() {
        isPaused = false
        updateReading()
    }

    private func updateReading() {
        let wanted = isListening && !isPaused && !isBackingOff
        guard wanted != isReading else { return }
        isReading = wanted
        guard wanted else { return reactor.removeReader(fd) }
        do {
            try reactor.addReader(fd) { [self] in acceptMany() }
        } catch {
            isReading = false
            logger.error("cannot accept on \(localAddress.hostAndPort) any more: \(error)")
        }
    }

    private func acceptMany() {
        for _ in 0..<Self.acceptsPerTurn where isReading {
            let accepted = Socket.accept(fd)
            switch accepted.fd {
            case 0...:
                guard let peer = accepted.peer, let local = Socket.localAddress(accepted.fd) else {
                    close(accepted.fd)
                    continue
                }
                onConnection(
                    AcceptedSocket(
                        reactor: reactor, fd: accepted.fd, host: local, peer: peer, options: options))
            case -EAGAIN: return
            case -EMFILE, -ENFILE: return refuseOne(-accepted.fd)
            // A connection that died in the queue, by itself, by the network or by a firewall: on to the next one. The
            // list is that of accept(2).
            case -ECONNABORTED, -EINTR, -EPERM, -EPROTO, -ENETDOWN, -ENETUNREACH, -EHOSTDOWN, -EHOSTUNREACH,
                -ENONET,
                -ENOPROTOOPT, -EOPNOTSUPP:
                continue
            // No memory (ENOBUFS, ENOMEM), or something nobody thought of: not in a tight loop.
            default: return retryLater(-accepted.fd)
            }
        }
    }

    private func refuseOne(_ cause: Int32) {
        warn(cause)
        guard reserve >= 0 else { return retryLater(cause) }
        close(reserve)
        let accepted = Socket.accept(fd)
        if accepted.fd >= 0 { close(accepted.fd) }
        reserve = Self.openReserve()
        // The whole system is out of files (ENFILE), or another thread took our number.
        if accepted.fd < 0 || reserve < 0 { retryLater(cause) }
    }

    private func retryLater(_ cause: Int32) {
        warn(cause)
        isBackingOff = true
        updateReading()
        retryTimer = reactor.callLater(.milliseconds(100)) { [self] in
            if reserve < 0 { reserve = Self.openReserve() }
            isBackingOff = false
            updateReading()
        }
    }

    private func warn(_ cause: Int32) {
        let now = reactor.now
        if let lastWarning, lastWarning.duration(to: now) < .seconds(1) { return }
        lastWarning = now
        logger.warning(
            "cannot accept on \(localAddress.hostAndPort): \(errnoText(cause)); connections are refused")
    }

    private static func openReserve() -> Int32 { open("/dev/null", O_RDONLY | O_CLOEXEC) }

    private static func address(_ host: String, _ port: Int) throws(TransportError) -> SocketAddress {
        guard (0...65_535).contains(port) else {
            throw TransportError(
                .cannotListen, "cannot listen on \(host):\(port): the port is not between 0 and 65535")
        }
        let numeric = host == "localhost" ? "127.0.0.1" : host.isEmpty ? "0.0.0.0" : host
        do {
            return try SocketAddress(ipAddress: numeric, port: port)
        } catch {
            throw TransportError(
                .cannotListen,
                "cannot listen on \"\(host)\": it is not an IP address; use 127.0.0.1, ::1, or 0.0.0.0 for every interface",
                underlying: error)
        }
    }

    private static func cannotListen(_ address: SocketAddress, _ cause: Int32) -> TransportError {
        let advice =
            switch cause {
            case EADDRINUSE: "; another program listens there: stop it or choose another port"
            case EACCES: "; ports below 1024 need a privilege: choose a higher one"
            case EADDRNOTAVAIL: "; no interface of this machine has that address"
            default: ""
            }
        return TransportError(
            .cannotListen, "cannot listen on \(address.hostAndPort): \(errnoText(cause))\(advice)",
            errno: cause)
    }
}
