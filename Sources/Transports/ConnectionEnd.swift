/// Why a connection is over: what `connectionLost(_:)` is told, exactly once.
public enum ConnectionEnd: Sendable, CustomStringConvertible {
    /// It was closed in order, by `loseConnection()` or by the peer, and everything written was handed to the system.
    case done
    /// It broke; bytes may be missing in both directions.
    case lost(TransportError)
    /// This side called `abortConnection()`; bytes not yet sent were dropped.
    case aborted

    /// Whether it was closed in order.
    public var isClean: Bool { if case .done = self { true } else { false } }

    /// One sentence for a log.
    public var description: String {
        switch self {
        case .done: "the connection was closed cleanly"
        case .lost(let error): error.message
        case .aborted: "the connection was aborted by this side"
        }
    }
}
