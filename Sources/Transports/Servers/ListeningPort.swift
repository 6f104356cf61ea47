import Glibc
public import NIOCore
public import ReactorCore

/// A TCP port that is listened on, and the connections that came from it. Follows Twisted's `IListeningPort`.
///
/// Reactor only. It listens until `stopListening()` or `stop(gracePeriod:)`; dropping the handle does not stop it.
@ReactorActor
public final class ListeningPort {
    /// The connections accepted here and still open.
    public let connections: ConnectionSet

    private let acceptor: Acceptor

    init(
        _ reactor: Reactor, host: String, port: Int, options: TCPOptions, factory: any ProtocolFactory
    ) throws(TransportError) {
        let connections = ConnectionSet(reactor)
        self.connections = connections
        acceptor = try Acceptor(reactor, host: host, port: port, options: options) { socket in
            guard let connectionProtocol = factory.makeProtocol(for: socket.peer) else {
                return socket.refuse()
            }
            let transport = socket.makeTransport()
            transport.onEnd = { connections.remove($0) }
            connections.insert(
                ConnectionSet.Member(
                    transport: transport,
                    // Whichever protocol has the connection by then.
                    finish: { [unowned transport] in transport.connectionProtocol?.serverWillStop() },
                    abort: { [unowned transport] in transport.abortConnection() }))
            transport.attach(connectionProtocol)
        }
    }

    /// The address listened on, with the real port when 0 was asked for.
    public var localAddress: SocketAddress { acceptor.localAddress }

    /// The port listened on.
    public var port: Int { localAddress.port ?? 0 }

    /// Whether connections are still accepted.
    public var isListening: Bool { acceptor.isListening }

    /// Closes the listening socket; accepted connections go on. Never waits. Again: nothing.
    public func stopListening() { acceptor.stop() }

    /// Leaves new connections in the kernel's queue until `resumeAccepting()`.
    public func pauseAccepting() { acceptor.pause() }

    /// Ends `pauseAccepting()`.
    public func resumeAccepting() { acceptor.resume() }

    /// Stops listening, asks each protocol to finish (`serverWillStop()`), and parks until all connections are gone.
    ///
    /// Those left after `gracePeriod` are aborted; cancelling the calling task ends the grace period at once.
    /// - Returns: how many had to be aborted.
    @discardableResult
    public func stop(gracePeriod: Duration) async -> Int {
        stopListening()
        return await connections.drain(gracePeriod: gracePeriod)
    }
}
