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
        acceptor = try Acceptor(reactor, host: host, port: port) { fd, peer in
            guard let connectionProtocol = factory.makeProtocol(for: peer),
                let local = Socket.localAddress(fd)
            else {
                close(fd)
                return
            }
            let transport = TCPTransport(reactor, fd: fd, host: local, peer: peer, options: options)
            transport.onEnd = { connections.remove($0) }
            connections.insert(transport)
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
        return await connections.drain(gracePeriod: gracePeriod) {
            for case let transport as TCPTransport in connections.transports {
                transport.connectionProtocol?.serverWillStop()
            }
        }
    }
}
