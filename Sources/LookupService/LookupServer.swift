import Greenlets
import Logging
public import Postgres
public import ReactorCore
public import Transports

/// Both lookup servers over one pool: what the executable `service` runs.
///
/// Reactor only.
@ReactorActor
public final class LookupServer {
    /// Where to listen, and how.
    public struct Options: Sendable {
        /// The port of the callback-style server; 0 takes a free one.
        public var endpoint: Endpoint
        /// The port of the `async` server.
        public var asyncEndpoint: Endpoint
        /// How long the database waits before it answers a lookup.
        public var latency: Duration

        /// The defaults are those of the service: 127.0.0.1, ports 3000 and 3001, no latency.
        public init(
            endpoint: Endpoint = Endpoint(host: "127.0.0.1", port: 3000),
            asyncEndpoint: Endpoint = Endpoint(host: "127.0.0.1", port: 3001),
            latency: Duration = .zero
        ) {
            self.endpoint = endpoint
            self.asyncEndpoint = asyncEndpoint
            self.latency = latency
        }
    }

    /// The callback-style listener.
    public let lines: ListeningPort
    /// The `async` listener.
    public let streams: StreamServer

    /// Listens on both ports.
    ///
    /// - Throws: `TransportError` with code `cannotListen`, naming the address and the cause; nothing listens then.
    public init(db: any PostgresDatabase, options: Options = Options(), on reactor: Reactor = .current) throws
    {
        let latency = options.latency
        lines = try reactor.listenTCP(options.endpoint.host, port: options.endpoint.port) {
            Lookup(db: db, latency: latency)
        }
        do {
            streams = try reactor.serveTCP(options.asyncEndpoint.host, port: options.asyncEndpoint.port) {
                connection in
                try await serveLookups(connection, db: db, latency: latency)
            }
        } catch {
            lines.stopListening()
            throw error
        }
    }

    /// Stops accepting, lets lines in work be answered, and parks until all connections are gone; aborts what is left after
    /// `gracePeriod`. Cancelling the calling task ends the grace period at once.
    public func stop(gracePeriod: Duration) async {
        async let lines: Int = lines.stop(gracePeriod: gracePeriod)
        async let streams: Int = streams.stop(gracePeriod: gracePeriod)
        _ = await (lines, streams)
    }
}
