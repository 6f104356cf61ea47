import Glibc
public import NIOCore

/// Cuts a stream into lines.
///
/// ```swift
/// var framer = LineFramer()
/// framer.append(ByteBuffer(string: "one\r\ntw"))
/// framer.next()  // .frame("one")
/// framer.next()  // nil: the second line has no end yet
/// ```
/// Every byte is looked at once, however the stream is cut. Empty lines are lines. Follows Twisted's `LineReceiver`, with
/// one difference: behind an over-long line framing goes on at the next line, not in the middle of the long one.
public struct LineFramer: Framer {
    /// What ends a line.
    public enum Delimiter: Hashable, Sendable {
        /// `\n`, with or without a `\r` before it.
        case lineFeed
        /// `\r\n` and nothing else; a lone `\n` or `\r` is part of the line.
        case carriageReturnLineFeed
    }

    /// Whether the stream is cut at all.
    public enum Mode: Hashable, Sendable {
        /// Events are lines.
        case lines
        /// Events are raw bytes, as they come.
        case raw
    }

    /// What ends a line.
    public let delimiter: Delimiter
    /// The longest line in bytes, its delimiter not counted.
    public let maxLength: Int
    /// Whether to cut. May be changed between two calls of `next()`, and holds for all bytes not yet part of an event.
    public var mode: Mode = .lines

    private var buffer = ByteBuffer()
    /// How many of the readable bytes are known to hold no delimiter, so that no byte is searched twice.
    private var searchedCount = 0
    /// Inside an over-long line that was reported: its bytes are dropped up to its delimiter.
    private var isSkipping = false
    /// While skipping: whether the last byte dropped was `\r`, which makes a `\n` that follows the delimiter.
    private var skippedCarriageReturn = false

    /// Makes a framer. The default accepts `\r\n` and bare `\n`, and lines of up to 16,384 bytes.
    /// - Precondition: `maxLength` is not negative.
    public init(delimiter: Delimiter = .lineFeed, maxLength: Int = 16_384) {
        precondition(maxLength >= 0, "a line cannot be at most \(maxLength) bytes long")
        self.delimiter = delimiter
        self.maxLength = maxLength
    }

    /// Bytes taken and not yet part of an event.
    public var bufferedByteCount: Int { buffer.readableBytes }

    /// Takes bytes that follow those given before.
    /// - Complexity: O(n) in their count; O(1) when nothing was buffered, which is the rule.
    public mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
            searchedCount = 0
            return
        }
        if buffer.readerIndex > 4096, buffer.readerIndex > buffer.readableBytes { buffer.discardReadBytes() }
        buffer.writeImmutableBuffer(bytes)
    }

    /// Puts bytes back in front of those buffered: what a receiver of raw bytes read past the end of its part.
    /// - Complexity: O(n) in what is buffered.
    public mutating func prepend(_ bytes: ByteBuffer) {
        searchedCount = 0
        var joined = bytes
        // Even a write of nothing would copy storage that the caller still shares.
        if buffer.readableBytes > 0 { joined.writeImmutableBuffer(buffer) }
        buffer = joined
    }

    /// Forgets what is buffered, and a half-skipped line with it.
    public mutating func removeAll() {
        buffer = ByteBuffer()
        searchedCount = 0
        isSkipping = false
        skippedCarriageReturn = false
    }

    /// The next line, raw piece or report of an over-long line; nil when more bytes are needed.
    /// - Complexity: O(n) in the bytes not searched before.
    public mutating func next() -> FramingEvent? {
        if isSkipping { skip() }
        guard buffer.readableBytes > 0, !isSkipping else { return nil }
        if mode == .raw {
            searchedCount = 0
            defer { buffer = ByteBuffer() }
            return .raw(buffer)
        }
        guard let end = searchDelimiter(from: searchedCount) else {
            searchedCount = buffer.readableBytes
            // A last `\r` may be half of the delimiter, so it is not counted yet.
            let certainLength = buffer.readableBytes - (endsInCarriageReturn ? 1 : 0)
            guard certainLength > maxLength else { return nil }
            isSkipping = true
            skip()
            return .lengthExceeded(limit: maxLength)
        }
        searchedCount = 0
        guard end.lineLength <= maxLength else {
            buffer.moveReaderIndex(forwardBy: end.nextLine)
            return .lengthExceeded(limit: maxLength)
        }
        // Both lengths come from a search of the readable bytes, so the slice is there.
        let line = buffer.readSlice(length: end.lineLength) ?? ByteBuffer()
        buffer.moveReaderIndex(forwardBy: end.nextLine - end.lineLength)
        // Do not share storage with the line for nothing: the next append would have to copy it.
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
        return .frame(line)
    }

    private var endsInCarriageReturn: Bool {
        buffer.getInteger(at: buffer.writerIndex - 1, as: UInt8.self) == UInt8(ascii: "\r")
    }

    /// Drops what belongs to an over-long line; ends skipping at its delimiter.
    private mutating func skip() {
        guard buffer.readableBytes > 0 else { return }
        let start = searchedCount
        searchedCount = 0
        let first: UInt8? = buffer.getInteger(at: buffer.readerIndex)
        if start == 0, skippedCarriageReturn, first == UInt8(ascii: "\n") {
            buffer.moveReaderIndex(forwardBy: 1)
            isSkipping = false
        } else if let end = searchDelimiter(from: start) {
            buffer.moveReaderIndex(forwardBy: end.nextLine)
            isSkipping = false
        } else {
            skippedCarriageReturn = endsInCarriageReturn
            buffer = ByteBuffer()
        }
        if !isSkipping { skippedCarriageReturn = false }
    }

    /// The first delimiter whose `\n` is not among the first `offset` readable bytes.
    private func searchDelimiter(from offset: Int) -> (lineLength: Int, nextLine: Int)? {
        buffer.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            var from = offset
            while from < bytes.count,
                let address = memchr(base + from, Int32(UInt8(ascii: "\n")), bytes.count - from)
            {
                let found = UnsafeRawPointer(address) - base
                let hasCarriageReturn = found > 0 && bytes[found - 1] == UInt8(ascii: "\r")
                if hasCarriageReturn { return (found - 1, found + 1) }
                if delimiter == .lineFeed { return (found, found + 1) }
                from = found + 1
            }
            return nil
        }
    }
}
