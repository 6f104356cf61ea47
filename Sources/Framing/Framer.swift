public import NIOCore

/// Cuts a stream of bytes into frames, whatever the sizes of the pieces it arrives in.
///
/// A framer is pulled: give it what came with `append(_:)`, then call `next()` until it returns nil. Whoever pulls decides
/// when to stop, so a paused or closing connection simply pulls no more, and resuming is one more `next()`. Framers do no
/// I/O and know no transport; the same events follow from the same bytes at every chunking.
public protocol Framer: Sendable {
    /// Takes bytes that follow those given before. Never fails: what is wrong with them is an event of `next()`.
    mutating func append(_ bytes: ByteBuffer)

    /// The next event that the bytes so far allow, or nil when more bytes are needed.
    mutating func next() -> FramingEvent?

    /// Bytes taken and not yet part of an event; once `next()` has returned nil, bounded by the framer's limit.
    var bufferedByteCount: Int { get }
}

/// What a framer found in the stream.
public enum FramingEvent: Hashable, Sendable {
    /// One whole frame, without its delimiter or length prefix.
    case frame(ByteBuffer)
    /// Bytes of no frame: the framer is in raw mode. Pieces are as they came; only their concatenation has meaning.
    case raw(ByteBuffer)
    /// A frame is longer than `limit` bytes and is skipped: reported once, as soon as it is certain, before the frame's
    /// end is seen and without keeping its bytes. Events go on behind it for those who keep the connection.
    case lengthExceeded(limit: Int)
}
