import Glibc
import ReactorCore

extension GreenSocket {
    /// The most that one system call is asked for.
    private static let largestRead = 1 << 18

    /// Parks until something has come, and returns it, `limit` bytes at most; empty at the end of the stream. Python's `recv`.
    ///
    /// Of a datagram longer than `limit` the rest is dropped.
    /// - Throws: `GreenletError` with code `timedOut`, `closed`, `busy`, `systemCall` (ECONNRESET), `invalidArgument` for a limit
    ///   below one; `CancellationError`. Nothing is lost then.
    public func receive(atMost limit: Int = 65_536, timeout: Duration? = nil) async throws -> [UInt8] {
        try checkByteCount(limit, "limit")
        return try await perform("receive", .readable, timeout) { call in
            try await read(atMost: limit) { try await receiveOnce($0, call) }
        }
    }

    /// Parks until `count` bytes have come, and returns them.
    ///
    /// - Throws: `GreenletError` with code `endOfStream` when the peer ends the stream before; else as `receive(atMost:)`. What
    ///   had come by then is there for the next read.
    public func receive(exactly count: Int, timeout: Duration? = nil) async throws -> [UInt8] {
        try checkByteCount(count, "count")
        return try await perform("receive", .readable, timeout) { call in
            try await read(exactly: count) { try await receiveOnce($0, call) }
        }
    }

    /// Parks until the peer has ended the stream, and returns all that came.
    ///
    /// - Parameter limit: more than that is an error, with code `tooLong`.
    /// - Throws: as `receive(atMost:)`. What had come by then is there for the next read.
    public func receiveToEnd(atMost limit: Int = .max, timeout: Duration? = nil) async throws -> [UInt8] {
        try checkByteCount(limit, "limit")
        return try await perform("receive", .readable, timeout) { call in
            try await readToEnd(atMost: limit) { try await receiveOnce($0, call) }
        }
    }

    /// Parks until a line has come, and returns its bytes without the `\n` or `\r\n` it ends with; nil at the end of the stream.
    /// What the stream ends with is a line, whatever is missing at its end.
    ///
    /// - Parameter limit: the longest line allowed, its end not counted.
    /// - Throws: `GreenletError` with code `tooLong`; else as `receive(atMost:)`. What had come by then is there for the next read.
    public func receiveLine(atMost limit: Int = 65_536, timeout: Duration? = nil) async throws -> [UInt8]? {
        try checkByteCount(limit, "limit")
        return try await perform("receive", .readable, timeout) { call in
            try await readLine(atMost: limit) { try await receiveOnce($0, call) }
        }
    }

    /// Puts bytes back, to be received before what comes.
    package func unread(_ bytes: [UInt8]) { readAhead.prepend(bytes) }

    /// What one system call receives; empty at the end of the stream.
    private func receiveOnce(_ limit: Int, _ call: SocketCall) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try await attempt(call) { fd in
            let received = SocketCalls.receive(fd, atMost: min(limit, Self.largestRead), isPipe: isPipe)
            bytes = received.bytes
            return received.result
        }
        return bytes
    }
}
