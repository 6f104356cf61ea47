/// A name as DNS has it: labels of bytes, equal whatever their case (RFC 1035, 2.3.3). Pure.
struct DNSName: Hashable, Sendable, CustomStringConvertible {
    /// The labels as they were written, without the empty one of the root.
    let labels: [[UInt8]]
    /// The same in lower case.
    private let folded: [[UInt8]]

    /// - Precondition: the labels have 1 to 63 bytes each, and 254 in all with a byte more for each.
    init(labels: [[UInt8]]) {
        self.labels = labels
        folded = labels.map { $0.map(Self.lowercased) }
    }

    /// The name of a host, with or without a trailing dot; nil when it is none on the wire.
    init?(_ text: String) {
        guard text != "." else {
            self.init(labels: [])
            return
        }
        var labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map(Array.init)
        if labels.count > 1, labels.last?.isEmpty == true { labels.removeLast() }
        guard labels.allSatisfy({ (1...63).contains($0.count) }), Self.length(labels) <= 255 else {
            return nil
        }
        self.init(labels: labels)
    }

    /// Bytes on the wire, uncompressed.
    static func length(_ labels: [[UInt8]]) -> Int { labels.reduce(1) { $0 + $1.count + 1 } }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    static func == (left: DNSName, right: DNSName) -> Bool { left.folded == right.folded }

    func hash(into hasher: inout Hasher) { hasher.combine(folded) }

    /// The same name in letters of random case: an answer must repeat them, and whoever forges one must guess them.
    func withRandomCase(using random: inout some RandomNumberGenerator) -> DNSName {
        DNSName(
            labels: labels.map { label in
                label.map { byte in
                    let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(Self.lowercased(byte))
                    return isLetter && Bool.random(using: &random) ? byte ^ 0x20 : byte
                }
            })
    }

    /// `example.org`, and `.` for the root.
    var description: String {
        labels.isEmpty
            ? "." : labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }
}
