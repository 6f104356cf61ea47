/// Bytes that have been received and that nobody has taken yet. Pure.
package struct ReadAhead {
    private var bytes: [UInt8] = []
    private var start = 0
    /// Up to where no end of a line is.
    private var searched = 0

    package init() {}

    package var count: Int { bytes.count - start }
    package var isEmpty: Bool { count == 0 }

    package mutating func append(_ more: [UInt8]) {
        if isEmpty {
            (bytes, start, searched) = (more, 0, 0)
        } else {
            bytes += more
        }
    }

    /// Puts bytes back in front of the others.
    package mutating func prepend(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        (self.bytes, start, searched) = (bytes + self.bytes[start...], 0, 0)
    }

    /// Takes at most so many from the front.
    package mutating func take(atMost limit: Int) -> [UInt8] {
        let end = limit < count ? start + limit : bytes.count
        if start == 0, end == bytes.count {
            defer { (bytes, searched) = ([], 0) }
            return bytes
        }
        let taken = Array(bytes[start..<end])
        start = end
        searched = max(searched, end)
        // What was taken goes once it is the greater part: each byte is moved once on average.
        if start > bytes.count / 2 {
            bytes.removeFirst(start)
            searched -= start
            start = 0
        }
        return taken
    }

    /// Takes a line with its end; nil when there is no end yet.
    package mutating func takeLine() -> [UInt8]? {
        guard let end = bytes[max(start, searched)...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            return nil
        }
        return take(atMost: end + 1 - start)
    }
}
