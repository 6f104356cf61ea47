/// Reads `[2:3]={{"a",b},{NULL,"c\"d"}}`.
struct ArrayTextParser {
    private var rest: Slice<UnsafeRawBufferPointer>
    private let delimiter: UInt8
    private var items: [[UInt8]?] = []
    /// How many parts each depth has, nil while its first part is being read.
    private var counts: [Int?] = []
    /// The depth at which the elements are.
    private var leafDepth: Int?

    init(_ bytes: UnsafeRawBufferPointer, delimiter: UInt8) {
        rest = bytes[...]
        self.delimiter = delimiter
    }

    /// Dimensions and elements; nil when it is no array, or a ragged one.
    mutating func parse() -> ([ArrayModel.Dimension], [[UInt8]?])? {
        var bounds: [Int32] = []
        while rest.first == UInt8(ascii: "[") {
            guard let close = rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let pair = rest[rest.index(after: rest.startIndex)..<close].split(separator: UInt8(ascii: ":"))
            guard let lower = pair.first, pair.count == 2,
                let bound = Int32(String(decoding: lower, as: UTF8.self))
            else { return nil }
            bounds.append(bound)
            rest = rest[rest.index(after: close)...]
        }
        if !bounds.isEmpty && rest.popFirst() != UInt8(ascii: "=") { return nil }
        guard braces(depth: 0), rest.isEmpty else { return nil }
        if items.isEmpty { return ([], []) }
        guard bounds.isEmpty || bounds.count == counts.count else { return nil }
        let dimensions = counts.enumerated().map { depth, count in
            ArrayModel.Dimension(lowerBound: bounds.isEmpty ? 1 : bounds[depth], count: count ?? 0)
        }
        return (dimensions, items)
    }

    private mutating func braces(depth: Int) -> Bool {
        guard depth < ArrayModel.maximumDimensions, rest.popFirst() == UInt8(ascii: "{") else { return false }
        if counts.count == depth { counts.append(nil) }
        if rest.first == UInt8(ascii: "}") {
            rest.removeFirst()
            return depth == 0
        }
        var count = 0
        while true {
            if rest.first == UInt8(ascii: "{") {
                guard leafDepth != depth, braces(depth: depth + 1) else { return false }
            } else {
                guard leafDepth ?? depth == depth, counts.count == depth + 1, item() else { return false }
                leafDepth = depth
            }
            count += 1
            switch rest.popFirst() {
            case delimiter: continue
            case UInt8(ascii: "}"):
                guard counts[depth] ?? count == count else { return false }
                counts[depth] = count
                return true
            default: return false
            }
        }
    }

    private mutating func item() -> Bool {
        var part: [UInt8] = []
        guard rest.first == UInt8(ascii: "\"") else {
            while let byte = rest.first, byte != delimiter, byte != UInt8(ascii: "}") {
                rest.removeFirst()
                guard byte != UInt8(ascii: "\""), byte != UInt8(ascii: "{") else { return false }
                guard byte == UInt8(ascii: "\\") else {
                    part.append(byte)
                    continue
                }
                guard let escaped = rest.popFirst() else { return false }
                part.append(escaped)
            }
            if part.isEmpty { return false }
            items.append(part == Array("NULL".utf8) ? nil : part)
            return true
        }
        rest.removeFirst()
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") {
                items.append(part)
                return true
            }
            guard byte == UInt8(ascii: "\\") else {
                part.append(byte)
                continue
            }
            guard let escaped = rest.popFirst() else { return false }
            part.append(escaped)
        }
        return false
    }
}
