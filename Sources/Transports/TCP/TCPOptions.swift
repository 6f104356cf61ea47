/// Settings of a TCP connection.
public struct TCPOptions: Sendable {
    /// Send small packets at once (TCP_NODELAY). On by default: a request that waits for Nagle's algorithm costs 40 ms.
    public var sendsAtOnce = true
    /// Let the kernel probe idle connections (SO_KEEPALIVE).
    public var probesWhenIdle = false
    /// Unsent bytes above which producers are paused.
    public var highWaterMark = 65_536
    /// Receive nothing while more than `highWaterMark` bytes are unsent, until all are sent: a peer that asks and does not
    /// read the answers cannot fill our memory. On for accepted connections; off for connections we make, because two
    /// ends that both do this and both send first would wait for each other.
    public var receivesOnlyWhenDrained = false
    /// How long to keep taking bytes that come after a close, so that the peer gets our last ones instead of a reset.
    public var lingerTime: Duration = .seconds(1)

    /// The defaults for a connection that we make.
    public init() {}

    /// The defaults for a connection that we accept.
    public static var accepted: TCPOptions {
        var options = TCPOptions()
        options.receivesOnlyWhenDrained = true
        return options
    }
}
