/// The texts of IP addresses.
enum InetText {
    static func parse(_ text: Substring) -> [UInt8]? {
        text.utf8.contains(UInt8(ascii: ":")) ? parseIPv6(text) : parseIPv4(text)
    }

    private static func parseIPv4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let byte = UInt8(part)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func parseIPv6(_ text: Substring) -> [UInt8]? {
        // At most one `::`, which stands for the zeros that are missing.
        var halves: [Substring] = [text]
        var rest = text[...]
        while let colon = rest.firstIndex(of: ":") {
            let next = rest.index(after: colon)
            if next < rest.endIndex && rest[next] == ":" {
                halves = [text[..<colon], text[rest.index(after: next)...]]
                break
            }
            rest = rest[next...]
        }
        guard let head = groups(halves[0], endsAddress: halves.count == 1) else { return nil }
        guard halves.count == 2 else { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1], endsAddress: true), head.count + tail.count <= 14 else {
            return nil
        }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: Substring, endsAddress: Bool) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if endsAddress, index == parts.count - 1, part.contains(".") {
                guard let address = parseIPv4(part) else { return nil }
                bytes += address
                continue
            }
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ hexDigit($0) != nil }),
                let group = UInt16(part, radix: 16)
            else { return nil }
            bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
        }
        return bytes.count <= 16 ? bytes : nil
    }

    static func text(_ address: [UInt8]) -> String {
        if address.count == 4 { return address.map { String($0) }.joined(separator: ".") }
        let groups = (0..<8).map { UInt16(address[$0 * 2]) << 8 | UInt16(address[$0 * 2 + 1]) }
        let zeros = longestZeros(groups)
        // IPv4 within IPv6 is shown as such, as the server does.
        let embedded =
            zeros.lowerBound == 0 && (zeros.count == 6 || (zeros.count == 5 && groups[5] == 0xFFFF))
        let shown = embedded ? Array(groups[..<6]) : groups
        func hex(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        let tail = embedded ? text(Array(address[12...])) : ""
        guard !zeros.isEmpty else { return hex(shown[...]) }
        let behind = hex(shown[min(zeros.upperBound, shown.count)...])
        let separator = embedded && !behind.isEmpty ? ":" : ""
        return hex(shown[..<zeros.lowerBound]) + "::" + behind + separator + tail
    }

    /// The first of the longest runs of at least two zeros.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        while start < groups.count {
            let length = groups[start...].prefix { $0 == 0 }.count
            if length > best.count { best = start..<(start + length) }
            start += max(length, 1)
        }
        return best.count >= 2 ? best : 0..<0
    }
}
