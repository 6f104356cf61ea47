import ReactorCore

extension GreenSocket {
    /// The lines of a stream, without the `\n` or `\r\n` they end with, in UTF-8; bytes that are none become U+FFFD. Ends with the
    /// stream, whose last line need not have an end.
    ///
    /// - Parameters:
    ///   - limit: the longest line allowed, in bytes.
    ///   - timeout: for each line.
    public func lines(atMost limit: Int = 65_536, timeout: Duration? = nil) -> Lines {
        Lines(socket: self, limit: limit, timeout: timeout)
    }

    /// The bytes of a stream, as they come; ends with it.
    ///
    /// - Parameters:
    ///   - limit: the longest piece wanted.
    ///   - timeout: for each piece.
    public func chunks(atMost limit: Int = 65_536, timeout: Duration? = nil) -> Chunks {
        Chunks(socket: self, limit: limit, timeout: timeout)
    }

    /// See `lines(atMost:timeout:)`. What an iteration has not taken when it is left is there for the next read.
    public struct Lines: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let socket: GreenSocket
        let limit: Int
        let timeout: Duration?

        /// Itself: all iterations share the socket.
        public nonisolated func makeAsyncIterator() -> Lines { self }

        /// The next line; nil at the end of the stream.
        ///
        /// - Throws: as `receiveLine(atMost:timeout:)`.
        @ReactorActor public func next() async throws -> String? {
            try await socket.receiveLine(atMost: limit, timeout: timeout).map {
                String(decoding: $0, as: UTF8.self)
            }
        }

        /// Runs `body` with line after line: `for try await`, for synchronous code in a greenlet.
        ///
        /// - Throws: as `receiveLine(atMost:timeout:)`; what `body` throws.
        public nonisolated func forEach(_ body: @ReactorActor (String) throws -> Void) throws {
            try Greenlet.inGreenlet {
                while let line = try socket.receiveLine(atMost: limit, timeout: timeout) {
                    try body(String(decoding: line, as: UTF8.self))
                }
            }
        }
    }

    /// See `chunks(atMost:timeout:)`.
    public struct Chunks: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let socket: GreenSocket
        let limit: Int
        let timeout: Duration?

        /// Itself: all iterations share the socket.
        public nonisolated func makeAsyncIterator() -> Chunks { self }

        /// The next bytes; nil at the end of the stream.
        ///
        /// - Throws: as `receive(atMost:timeout:)`.
        @ReactorActor public func next() async throws -> [UInt8]? {
            let bytes = try await socket.receive(atMost: limit, timeout: timeout)
            return bytes.isEmpty ? nil : bytes
        }

        /// Runs `body` with piece after piece: `for try await`, for synchronous code in a greenlet.
        ///
        /// - Throws: as `receive(atMost:timeout:)`; what `body` throws.
        public nonisolated func forEach(_ body: @ReactorActor ([UInt8]) throws -> Void) throws {
            try Greenlet.inGreenlet {
                while true {
                    let bytes = try socket.receive(atMost: limit, timeout: timeout)
                    if bytes.isEmpty { return }
                    try body(bytes)
                }
            }
        }
    }
}
