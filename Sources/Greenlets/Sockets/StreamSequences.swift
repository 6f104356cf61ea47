public import ReactorCore

/// The lines of a stream, without the `\n` or `\r\n` they end with, in UTF-8; bytes that are none become U+FFFD. Ends with the
/// stream, whose last line need not have an end.
///
/// What an iteration has not taken when it is left is there for the stream's next read.
public struct GreenLines: AsyncSequence, AsyncIteratorProtocol, Sendable {
    private let receive: @Sendable @ReactorActor () async throws -> [UInt8]?

    /// - Parameter receive: parks until a line has come; nil at the end.
    package init(_ receive: @escaping @Sendable @ReactorActor () async throws -> [UInt8]?) {
        self.receive = receive
    }

    /// Itself: all iterations share the stream.
    public nonisolated func makeAsyncIterator() -> GreenLines { self }

    /// Runs `body` with line after line: `for try await`, for synchronous code in a greenlet.
    ///
    /// - Throws: as the stream's `receiveLine(atMost:timeout:)`; what `body` throws.
    public nonisolated func forEach(_ body: @ReactorActor (String) throws -> Void) throws {
        try Greenlet.inGreenlet {
            while let line = try Greenlet.blockingCall({ try await self.next() }) { try body(line) }
        }
    }
}

@ReactorActor extension GreenLines {
    /// The next line; nil at the end of the stream.
    ///
    /// - Throws: as the stream's `receiveLine(atMost:timeout:)`.
    public func next() async throws -> String? {
        try await receive().map { String(decoding: $0, as: UTF8.self) }
    }
}

/// The bytes of a stream, as they come; ends with it.
public struct GreenChunks: AsyncSequence, AsyncIteratorProtocol, Sendable {
    private let receive: @Sendable @ReactorActor () async throws -> [UInt8]

    /// - Parameter receive: parks until something has come; empty at the end.
    package init(_ receive: @escaping @Sendable @ReactorActor () async throws -> [UInt8]) {
        self.receive = receive
    }

    /// Itself: all iterations share the stream.
    public nonisolated func makeAsyncIterator() -> GreenChunks { self }

    /// Runs `body` with piece after piece: `for try await`, for synchronous code in a greenlet.
    ///
    /// - Throws: as the stream's `receive(atMost:timeout:)`; what `body` throws.
    public nonisolated func forEach(_ body: @ReactorActor ([UInt8]) throws -> Void) throws {
        try Greenlet.inGreenlet {
            while let bytes = try Greenlet.blockingCall({ try await self.next() }) { try body(bytes) }
        }
    }
}

@ReactorActor extension GreenChunks {
    /// The next bytes; nil at the end of the stream.
    ///
    /// - Throws: as the stream's `receive(atMost:timeout:)`.
    public func next() async throws -> [UInt8]? {
        let bytes = try await receive()
        return bytes.isEmpty ? nil : bytes
    }
}

extension GreenSocket {
    /// The lines of a stream.
    ///
    /// - Parameters:
    ///   - limit: the longest line allowed, in bytes.
    ///   - timeout: for each line.
    public func lines(atMost limit: Int = 65_536, timeout: Duration? = nil) -> GreenLines {
        GreenLines { try await self.receiveLine(atMost: limit, timeout: timeout) }
    }

    /// The bytes of a stream, as they come.
    ///
    /// - Parameters:
    ///   - limit: the longest piece wanted.
    ///   - timeout: for each piece.
    public func chunks(atMost limit: Int = 65_536, timeout: Duration? = nil) -> GreenChunks {
        GreenChunks { try await self.receive(atMost: limit, timeout: timeout) }
    }
}
