public import Greenlets
import ReactorCore

extension TLSStream {
    /// Parks until something has come, and returns it, `limit` bytes at most; empty at the end of the stream.
    ///
    /// - Throws: see `TLSStream`; `GreenletError` with code `invalidArgument` for a limit below one. Nothing is lost then.
    public func receive(atMost limit: Int = 65_536, timeout: Duration? = nil) async throws -> [UInt8] {
        try checkByteCount(limit, "limit")
        return try await perform("receive", \.isReading, timeout) { deadline in
            try await read(atMost: limit) { _ in try await receiveOnce(deadline) }
        }
    }

    /// Parks until `count` bytes have come, and returns them.
    ///
    /// - Throws: `GreenletError` with code `endOfStream` when the peer ends the stream before; else as `receive(atMost:)`. What
    ///   had come by then is there for the next read.
    public func receive(exactly count: Int, timeout: Duration? = nil) async throws -> [UInt8] {
        try checkByteCount(count, "count")
        return try await perform("receive", \.isReading, timeout) { deadline in
            try await read(exactly: count) { _ in try await receiveOnce(deadline) }
        }
    }

    /// Parks until the peer has ended the stream, and returns all that came.
    ///
    /// - Parameter limit: more than that is an error, with code `tooLong`.
    /// - Throws: as `receive(atMost:)`. What had come by then is there for the next read.
    public func receiveToEnd(atMost limit: Int = .max, timeout: Duration? = nil) async throws -> [UInt8] {
        try checkByteCount(limit, "limit")
        return try await perform("receive", \.isReading, timeout) { deadline in
            try await readToEnd(atMost: limit) { _ in try await receiveOnce(deadline) }
        }
    }

    /// Parks until a line has come, and returns its bytes without the `\n` or `\r\n` it ends with; nil at the end of the stream.
    /// What the stream ends with is a line, whatever is missing at its end.
    ///
    /// - Parameter limit: the longest line allowed, its end not counted.
    /// - Throws: `GreenletError` with code `tooLong`; else as `receive(atMost:)`. What had come by then is there for the next read.
    public func receiveLine(atMost limit: Int = 65_536, timeout: Duration? = nil) async throws -> [UInt8]? {
        try checkByteCount(limit, "limit")
        return try await perform("receive", \.isReading, timeout) { deadline in
            try await readLine(atMost: limit) { _ in try await receiveOnce(deadline) }
        }
    }

    /// The lines of the stream.
    ///
    /// - Parameters:
    ///   - limit: the longest line allowed, in bytes.
    ///   - timeout: for each line.
    public func lines(atMost limit: Int = 65_536, timeout: Duration? = nil) -> GreenLines {
        GreenLines { try await self.receiveLine(atMost: limit, timeout: timeout) }
    }

    /// The bytes of the stream, as they come.
    ///
    /// - Parameters:
    ///   - limit: the longest piece wanted.
    ///   - timeout: for each piece.
    public func chunks(atMost limit: Int = 65_536, timeout: Duration? = nil) -> GreenChunks {
        GreenChunks { try await self.receive(atMost: limit, timeout: timeout) }
    }
}
