import DequeModule
import NIOCore

/// Bytes to send, in order. Small writes are joined, so that many of them cost one system call.
struct WriteQueue {
    /// Buffers of up to this size are joined with the one before; larger ones are not worth the copy.
    private static let joinLimit = 16_384

    private var buffers = Deque<ByteBuffer>()
    /// How many bytes are in it.
    private(set) var byteCount = 0

    var isEmpty: Bool { byteCount == 0 }

    mutating func append(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        byteCount += bytes.readableBytes
        if let last = buffers.last, last.readableBytes + bytes.readableBytes <= Self.joinLimit {
            // In place: taking the buffer out and back in would copy it.
            buffers[buffers.count - 1].writeImmutableBuffer(bytes)
        } else {
            buffers.append(bytes)
        }
    }

    /// Offers the first bytes to `body`, which says how many it took; none or −errno leaves the queue as it is.
    mutating func send(_ body: (UnsafeRawBufferPointer) -> Int) -> Int {
        guard let first = buffers.first else { return 0 }
        let taken = first.withUnsafeReadableBytes(body)
        guard taken > 0 else { return taken }
        byteCount -= taken
        if taken == first.readableBytes {
            buffers.removeFirst()
        } else {
            buffers[0].moveReaderIndex(forwardBy: taken)
        }
        return taken
    }

    mutating func removeAll() {
        buffers.removeAll()
        byteCount = 0
    }
}
