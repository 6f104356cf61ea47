import Glibc
import NIOCore

/// An error of a transport, an endpoint or a stream.
///
/// Codes are extensible: match with `error.code == .connectionLost`, and keep a default case.
public struct TransportError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, as a value that can be compared.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case cannotListen, connectFailed, connectTimedOut, connectionLost, connectionAborted, closed
            case lineTooLong, invalidUTF8, concurrentRead, handshakeFailed, configuration
        }

        private let name: Name

        /// An address could not be listened on; `errno` says why (EADDRINUSE, EACCES, EADDRNOTAVAIL …).
        public static let cannotListen = Code(name: .cannotListen)
        /// No address of the host accepted; `errno` is the last one's cause (ECONNREFUSED, EHOSTUNREACH …).
        public static let connectFailed = Code(name: .connectFailed)
        /// The deadline passed before the connection stood.
        public static let connectTimedOut = Code(name: .connectTimedOut)
        /// The connection broke: reset by the peer, unreachable, cut off inside a message.
        public static let connectionLost = Code(name: .connectionLost)
        /// This side aborted the connection.
        public static let connectionAborted = Code(name: .connectionAborted)
        /// The connection was closed by this side before the call.
        public static let closed = Code(name: .closed)
        /// The peer sent a line longer than the limit; the line is skipped, the stream usable.
        public static let lineTooLong = Code(name: .lineTooLong)
        /// The peer sent a line that is not UTF-8; the line is skipped, the stream usable.
        public static let invalidUTF8 = Code(name: .invalidUTF8)
        /// Two tasks read one stream at a time.
        public static let concurrentRead = Code(name: .concurrentRead)
        /// TLS was not agreed on: certificate refused, wrong name, no common version.
        public static let handshakeFailed = Code(name: .handshakeFailed)
        /// A file or setting given to an endpoint is unusable.
        public static let configuration = Code(name: .configuration)

        /// The code's name, such as `cannotListen`.
        public var description: String { name.rawValue }
    }

    /// What went wrong.
    public let code: Code
    /// One sentence for a person: the operation, the address, the cause.
    public let message: String
    /// errno of the system call behind it, where there was one.
    public let errno: Int32?
    /// The error behind it, where there was one.
    public let underlying: (any Error)?

    /// Makes an error.
    public init(_ code: Code, _ message: String, errno: Int32? = nil, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.errno = errno
        self.underlying = underlying
    }

    /// The message.
    public var description: String { message }

    /// Whether a deadline passed.
    public var isTimeout: Bool { code == .connectTimedOut }
}

extension TransportError {
    static func connectionLost(_ peer: SocketAddress, _ cause: Int32) -> TransportError {
        TransportError(
            .connectionLost, "the connection with \(peer.hostAndPort) was lost: \(errnoText(cause))",
            errno: cause)
    }

    static func closed(_ peer: SocketAddress) -> TransportError {
        TransportError(.closed, "the connection with \(peer.hostAndPort) has been closed by this side")
    }
}

/// `Connection refused (errno 111)`.
func errnoText(_ code: Int32) -> String { "\(String(cString: strerror(code))) (errno \(code))" }
