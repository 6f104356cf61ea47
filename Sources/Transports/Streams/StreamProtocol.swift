import NIOCore
package import ReactorCore

/// Feeds a `StreamConnection` from its transport, and tells it how full the transport is.
@ReactorActor
final class StreamProtocol: HalfCloseableProtocol, PushProducer {
    var transport: (any Transport)?
    private(set) var connection: StreamConnection?
    private let reactor: Reactor
    private let maxLineLength: Int
    private let onMade: @ReactorActor (StreamConnection) -> Void

    init(
        _ reactor: Reactor, maxLineLength: Int,
        onMade: @escaping @ReactorActor (StreamConnection) -> Void = { _ in }
    ) {
        self.reactor = reactor
        self.maxLineLength = maxLineLength
        self.onMade = onMade
    }

    func connectionMade() {
        guard let transport else { return }
        let connection = StreamConnection(reactor, transport, maxLineLength: maxLineLength)
        self.connection = connection
        transport.registerProducer(self)
        onMade(connection)
    }

    func dataReceived(_ data: ByteBuffer) { connection?.received(data) }

    func readConnectionLost() { connection?.endInput() }

    func serverWillStop() {
        guard let connection else {
            transport?.abortConnection()
            return
        }
        // Requests already here are answered; the next read finds the end.
        transport?.pauseProducing()
        connection.endInput()
    }

    func connectionLost(_ reason: ConnectionEnd) {
        connection?.ended(reason)
        connection = nil
    }

    func pauseProducing() { connection?.setFull(true) }

    func resumeProducing() { connection?.setFull(false) }

    func stopProducing() {}
}

extension Transport {
    /// Gives the connection to a stream, which is made by that: for transports that are ready.
    package func makeStream(on reactor: Reactor, maxLineLength: Int) -> StreamConnection {
        var made: StreamConnection?
        attach(StreamProtocol(reactor, maxLineLength: maxLineLength, onMade: { made = $0 }))
        return made!  // `attach` on a ready transport calls `connectionMade`, which calls `onMade`
    }
}
