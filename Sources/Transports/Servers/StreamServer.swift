import Greenlets
import Logging
public import NIOCore
public import ReactorCore

/// A TCP server whose connections are each handled by a greenlet of their own: what `serveTCP` returns.
///
/// Reactor only. It serves until `stopListening()` or `stop(gracePeriod:)`; dropping the handle does not stop it. Follows gevent's
/// `StreamServer`.
@ReactorActor
public final class StreamServer {
    /// The connections accepted here whose handler runs or whose socket is open.
    public let connections: ConnectionSet

    private let acceptor: Acceptor

    init(
        _ reactor: Reactor, host: String, port: Int, limit: Int?, maxLineLength: Int, options: TCPOptions,
        wrap: @escaping @ReactorActor (any Transport) -> any Transport,
        spawn: @escaping @ReactorActor (_ name: String, StreamConnection, ConnectionHandling) -> AnyGreenlet
    ) throws(TransportError) {
        precondition(
            limit.map { $0 > 0 } ?? true, "a server of at most \(limit ?? 0) connections serves nobody")
        let connections = ConnectionSet(reactor)
        self.connections = connections
        acceptor = try Acceptor(reactor, host: host, port: port, options: options) { socket in
            let tcp = socket.makeTransport()
            let transport = wrap(tcp)
            let handling = ConnectionHandling(reactor, transport, connections)
            let stream = StreamProtocol(
                reactor, maxLineLength: maxLineLength,
                onMade: { handling.greenlet = spawn("connection \(socket.peer.hostAndPort)", $0, handling) })
            tcp.onEnd = { _ in handling.connectionEnded() }
            connections.insert(
                ConnectionSet.Member(
                    transport: transport, finish: { stream.serverWillStop() }, abort: { handling.abort() }))
            transport.attach(stream)
        }
        guard let limit else { return }
        connections.onChange = { [acceptor, unowned connections] in
            if connections.count >= limit { acceptor.pause() } else { acceptor.resume() }
        }
    }

    /// The address listened on, with the real port when 0 was asked for.
    public var localAddress: SocketAddress { acceptor.localAddress }

    /// The port listened on.
    public var port: Int { localAddress.port ?? 0 }

    /// Whether connections are still accepted.
    public var isListening: Bool { acceptor.isListening }

    /// Closes the listening socket; handlers go on. Never waits. Again: nothing.
    public func stopListening() {
        acceptor.stop()
        // The limit's work is done, and with it ends a circle of references.
        connections.onChange = nil
    }

    /// Stops listening and parks until every handler has returned and every socket is closed.
    ///
    /// Handlers find the end of their input once they have read what is here already, so those that wait for a request
    /// return at once. Those that run after `gracePeriod` are killed and their connections aborted; cancelling the calling task
    /// ends the grace period at once.
    /// - Returns: how many had to be killed.
    @discardableResult
    public func stop(gracePeriod: Duration) async -> Int {
        stopListening()
        return await connections.drain(gracePeriod: gracePeriod)
    }
}

/// One connection of a `StreamServer`: over when its handler has returned *and* its socket is closed.
@ReactorActor
final class ConnectionHandling {
    var greenlet: AnyGreenlet?
    private let reactor: Reactor
    private let transport: any Transport
    private let connections: ConnectionSet
    private var handlerHasEnded = false
    private var connectionHasEnded = false

    init(_ reactor: Reactor, _ transport: any Transport, _ connections: ConnectionSet) {
        self.reactor = reactor
        self.transport = transport
        self.connections = connections
    }

    /// The handler returned, or threw `error`: closes its connection.
    func handlerEnded(_ error: (any Error)?) {
        handlerHasEnded = true
        greenlet = nil
        transport.loseConnection()
        removeWhenOver()
        switch error {
        case nil, is CancellationError, is GreenletExit: break
        case let error as TransportError:
            // The peer's doing, or the network's.
            Logger(label: "transports.serve").debug("a connection ended: \(error)")
        case let error?:
            reactor.onUncaughtError(error, "the handler of the connection from \(transport.peer.hostAndPort)")
        }
    }

    func connectionEnded() {
        connectionHasEnded = true
        // A connection that was never made, its handshake having failed, has no handler to wait for.
        if greenlet == nil { handlerHasEnded = true }
        removeWhenOver()
    }

    func abort() {
        transport.abortConnection()
        guard let greenlet else { return }
        // Killed before its first turn, its body never runs and never tells us.
        let neverRuns = !greenlet.isStarted
        greenlet.cancel()
        if neverRuns { handlerEnded(nil) }
    }

    private func removeWhenOver() {
        if handlerHasEnded, connectionHasEnded { connections.remove(transport) }
    }
}
