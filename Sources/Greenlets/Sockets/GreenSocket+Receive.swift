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
        try Self.checkCount(limit, "limit")
        return try await perform("receive", .readable, timeout) { call in
            if !readAhead.isEmpty { return readAhead.take(atMost: limit) }
            return try await receiveOnce(limit, call)
        }
    }

    /// Parks until `count` bytes have come, and returns them.
    ///
    /// - Throws: `GreenletError` with code `endOfStream` when the peer ends the stream before; else as `receive(atMost:)`. What
    ///   had come by then is there for the next read.
    public func receive(exactly count: Int, timeout: Duration? = nil) async throws -> [UInt8] {
        try Self.checkCount(count, "count")
        return try await perform("receive", .readable, timeout) { call in
            while readAhead.count < count {
                let more = try await receiveOnce(count - readAhead.count, call)
                guard !more.isEmpty else {
                    throw GreenletError(
                        .endOfStream, "the peer ended the stream after \(readAhead.count) of \(count) bytes")
                }
                readAhead.append(more)
            }
            return readAhead.take(atMost: count)
        }
    }

    /// Parks until the peer has ended the stream, and returns all that came.
    ///
    /// - Parameter limit: more than that is an error, with code `tooLong`.
    /// - Throws: as `receive(atMost:)`. What had come by then is there for the next read.
    public func receiveToEnd(atMost limit: Int = .max, timeout: Duration? = nil) async throws -> [UInt8] {
        try Self.checkCount(limit, "limit")
        return try await perform("receive", .readable, timeout) { call in
            while true {
                guard readAhead.count <= limit else {
                    throw GreenletError(.tooLong, "the peer sent more than \(limit) bytes")
                }
                let more = try await receiveOnce(65_536, call)
                if more.isEmpty { return readAhead.take(atMost: .max) }
                readAhead.append(more)
            }
        }
    }

    /// Parks until a line has come, and returns its bytes without the `\n` or `\r\n` it ends with; nil at the end of the stream.
    /// What the stream ends with is a line, whatever is missing at its end.
    ///
    /// - Parameter limit: the longest line allowed, its end not counted.
    /// - Throws: `GreenletError` with code `tooLong`; else as `receive(atMost:)`. What had come by then is there for the next read.
    public func receiveLine(atMost limit: Int = 65_536, timeout: Duration? = nil) async throws -> [UInt8]? {
        try Self.checkCount(limit, "limit")
        return try await perform("receive", .readable, timeout) { call in
            while true {
                if var line = readAhead.takeLine() {
                    line.removeLast()
                    if line.last == UInt8(ascii: "\r") { line.removeLast() }
                    guard line.count <= limit else { throw Self.lineTooLong(limit) }
                    return line
                }
                // One more may be the \r of its end.
                guard readAhead.count - 1 <= limit else { throw Self.lineTooLong(limit) }
                let more = try await receiveOnce(65_536, call)
                if more.isEmpty {
                    guard readAhead.count <= limit else { throw Self.lineTooLong(limit) }
                    return readAhead.isEmpty ? nil : readAhead.take(atMost: limit)
                }
                readAhead.append(more)
            }
        }
    }

    private static func lineTooLong(_ limit: Int) -> GreenletError {
        GreenletError(.tooLong, "the peer sent a line of more than \(limit) bytes")
    }

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

    static func checkCount(_ count: Int, _ name: String) throws {
        guard count > 0 else {
            throw GreenletError(.invalidArgument, "a \(name) of \(count) bytes: give one or more")
        }
    }
}
