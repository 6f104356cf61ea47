import Glibc
import ReactorCore

extension GreenSocket {
    /// One message that came to a socket of the kind `.datagram`.
    public struct Datagram: Hashable, Sendable {
        /// What it says.
        public let bytes: [UInt8]
        /// Who sent it; `.unix("")` when the sender has no address.
        public let sender: Address
        /// Whether it was longer than the room given, and its end is lost.
        public let isTruncated: Bool
    }

    /// Parks until a datagram has come, and returns it with its sender. Python's `recvfrom`.
    ///
    /// - Parameter limit: room for its bytes; the default is enough for any of UDP.
    /// - Throws: as `receive(atMost:)`; ECONNREFUSED when an earlier one sent from a connected socket found nobody.
    public func receiveFrom(atMost limit: Int = 65_536, timeout: Duration? = nil) async throws -> Datagram {
        try checkByteCount(limit, "limit")
        return try await perform("receiveFrom", .readable, timeout) { call in
            var bytes: [UInt8] = []
            var sender: Address?
            let length = try await attempt(call) { fd in
                let received = SocketCalls.receiveFrom(fd, atMost: limit)
                (bytes, sender) = (received.bytes, received.sender)
                return received.result
            }
            return Datagram(bytes: bytes, sender: sender ?? .unix(""), isTruncated: length > limit)
        }
    }

    /// Parks until the kernel has taken one datagram for `address`. Python's `sendto`.
    ///
    /// - Throws: as `send(_:timeout:)`; EMSGSIZE when it is too long for one; `invalidArgument` for a path too long for a socket's.
    public func send(_ bytes: [UInt8], to address: Address, timeout: Duration? = nil) async throws {
        try await perform("send to \(address)", .writable, timeout) { call in
            _ = try await attempt(call) { try SocketCalls.send($0, bytes[...], to: address) }
        }
    }
}
