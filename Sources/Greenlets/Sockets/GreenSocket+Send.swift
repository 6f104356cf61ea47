import Glibc
import ReactorCore

extension GreenSocket {
    /// Parks until the kernel takes some of `bytes`, and returns how many it took. Python's `send`.
    ///
    /// - Throws: `GreenletError` with code `timedOut`, `closed`, `busy`, `systemCall` (EPIPE, ECONNRESET); `CancellationError`.
    ///   Nothing is sent then.
    public func send(_ bytes: [UInt8], timeout: Duration? = nil) async throws -> Int {
        try await perform("send", .writable, timeout) { call in
            try await attempt(call) { try write(bytes[...], $0) }
        }
    }

    /// Parks until the kernel has taken all of `bytes`. Python's `sendall`.
    ///
    /// - Throws: as `send(_:timeout:)`; the message of a time-out says how much was sent. After any error an unknown part of the
    ///   bytes is on its way, and the stream is of little further use.
    public func sendAll(_ bytes: [UInt8], timeout: Duration? = nil) async throws {
        try await perform("send", .writable, timeout) { call in
            var rest = bytes[...]
            do {
                while !rest.isEmpty {
                    rest = rest.dropFirst(
                        try await attempt(call) { try write(rest, $0) })
                }
            } catch let error as GreenletError where error.isTimeout {
                throw GreenletError(
                    .timedOut,
                    "\(error.message), with \(bytes.count - rest.count) of \(bytes.count) bytes sent",
                    errno: error.errno)
            }
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>, _ fd: Int32) throws -> Int {
        isPipe ? SocketCalls.write(fd, bytes) : try SocketCalls.send(fd, bytes, to: nil)
    }

    /// Parks until the kernel has taken all of the text, in UTF-8. As the form with bytes.
    public func sendAll(_ text: String, timeout: Duration? = nil) async throws {
        try await sendAll(Array(text.utf8), timeout: timeout)
    }
}
