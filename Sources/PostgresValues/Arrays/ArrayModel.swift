/// An SQL array taken apart: its dimensions, and its elements in rows as they are on the wire.
struct ArrayModel {
    /// How far one subscript runs.
    struct Dimension: Hashable, Sendable {
        var lowerBound: Int32
        var count: Int
    }

    /// None for an empty array.
    var dimensions: [Dimension]
    /// The type of the elements; `.inferred` where it is not known.
    var element: PostgresTypeOID
    /// The form of the elements and of the whole.
    var format: PostgresFormat
    /// nil for NULL.
    var items: [[UInt8]?]

    /// PostgreSQL's MAXDIM.
    static let maximumDimensions = 6

    /// What separates elements in text: a comma, but for boxes, which contain two.
    static func delimiter(_ element: PostgresTypeOID) -> UInt8 {
        element == .box ? UInt8(ascii: ";") : UInt8(ascii: ",")
    }

    init(
        dimensions: [Dimension], element: PostgresTypeOID, format: PostgresFormat, items: [[UInt8]?]
    ) {
        // An array of no elements has no dimensions either.
        self.dimensions = items.isEmpty ? [] : dimensions
        self.element = element
        self.format = format
        self.items = items
    }

    /// An array of these elements: in binary if all of them are of one type that has arrays, in text otherwise.
    init(_ elements: [PostgresParameter], null: PostgresParameter, dimensions: [Dimension]? = nil)
        throws(PostgresValueError)
    {
        // Not always that of a NULL: an `Inet` may be a `cidr`.
        let type = elements.first { $0.bytes != nil }?.oid ?? null.oid
        let isOfType = elements.allSatisfy { $0.bytes == nil || $0.oid == type }
        let isBinary =
            isOfType && type.array != nil && elements.allSatisfy { $0.bytes == nil || $0.format == .binary }
        var items: [[UInt8]?] = []
        items.reserveCapacity(elements.count)
        for element in elements {
            items.append(isBinary ? element.bytes : try element.textBytes())
        }
        self.init(
            dimensions: dimensions ?? [Dimension(lowerBound: 1, count: items.count)],
            element: isOfType ? type : .inferred, format: isBinary ? .binary : .text, items: items)
    }

    /// Takes an array apart that is bound as a parameter.
    init(_ parameter: PostgresParameter, wanted: Any.Type) throws(PostgresValueError) {
        let oid = parameter.oid == .inferred ? .textArray : parameter.oid
        let typed = PostgresParameter(oid: oid, format: parameter.format, bytes: parameter.bytes)
        self = try typed.withCell { cell throws(PostgresValueError) in try ArrayModel(cell, wanted: wanted) }
        if parameter.oid == .inferred { element = .inferred }
    }

    /// Takes a cell apart.
    init(_ cell: PostgresCell, wanted: Any.Type) throws(PostgresValueError) {
        // The element type of an array of a type made in the database is not known here; its own number, which is as
        // opaque, stands for it.
        guard let element = cell.oid.arrayElement ?? (cell.oid.isOpaque ? cell.oid : nil) else {
            throw cell.mismatch(wanted)
        }
        let bytes = try cell.required(for: wanted)
        switch cell.format {
        case .binary:
            var reader = PostgresBinaryReader(bytes, oid: cell.oid, wanted: wanted)
            try self.init(binary: &reader)
        case .text:
            var parser = ArrayTextParser(bytes, delimiter: Self.delimiter(element))
            guard let (dimensions, items) = parser.parse() else {
                throw cell.malformed(wanted, "not the text of an array")
            }
            self.init(dimensions: dimensions, element: element, format: .text, items: items)
        }
    }

    private init(binary reader: inout PostgresBinaryReader) throws(PostgresValueError) {
        let count = try reader.integer(Int32.self)
        _ = try reader.integer(Int32.self)
        let element = PostgresTypeOID(rawValue: try reader.integer())
        guard (0...Int32(Self.maximumDimensions)).contains(count) else {
            throw reader.malformed("\(count) dimensions")
        }
        var dimensions: [Dimension] = []
        // Each element takes four bytes at least: no claim in the header may ask for more.
        var total = count == 0 ? 0 : 1
        for _ in 0..<count {
            let size = Int(try reader.integer(Int32.self))
            let (product, overflow) = total.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow, product <= Int(Int32.max) else {
                throw reader.malformed("a size too big")
            }
            total = product
            dimensions.append(Dimension(lowerBound: try reader.integer(), count: size))
        }
        guard total <= reader.remaining / 4 else { throw reader.malformed("it ends early") }
        var items: [[UInt8]?] = []
        items.reserveCapacity(total)
        for _ in 0..<total {
            items.append(try reader.sized().map { Array($0) })
        }
        try reader.end()
        self.init(dimensions: dimensions, element: element, format: .binary, items: items)
    }

    /// Reads one of the elements.
    func decode<T: PostgresDecodable>(_ item: [UInt8]?) throws -> T {
        let type = format == .text ? element.assumed(for: T.self) : element
        return try PostgresParameter(oid: type, format: format, bytes: item).withCell { cell in
            try T.decode(cell)
        }
    }

    /// The same array in text.
    func inText() throws(PostgresValueError) -> ArrayModel {
        if format == .text { return self }
        var copy = self
        copy.format = .text
        for (position, item) in items.enumerated() {
            copy.items[position] = try PostgresParameter(oid: element, format: .binary, bytes: item)
                .textBytes()
        }
        return copy
    }

    // MARK: Writing

    /// The whole as a parameter.
    func parameter() throws(PostgresValueError) -> PostgresParameter {
        switch format {
        case .binary:
            guard let array = element.array else {
                throw PostgresValueError(
                    .conversion, "an array of \(element) cannot be bound; bind its elements one by one")
            }
            return PostgresParameter(oid: array, format: .binary, bytes: binary())
        case .text:
            return PostgresParameter(oid: element.array ?? .inferred, format: .text, bytes: text())
        }
    }

    func binary() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(Int32(dimensions.count))
        bytes.appendBigEndian(Int32(items.contains { $0 == nil } ? 1 : 0))
        bytes.appendBigEndian(element.rawValue)
        for dimension in dimensions {
            bytes.appendBigEndian(Int32(dimension.count))
            bytes.appendBigEndian(dimension.lowerBound)
        }
        for item in items {
            bytes.appendBigEndian(item.map { Int32($0.count) } ?? -1)
            bytes.append(contentsOf: item ?? [])
        }
        return bytes
    }

    /// `{{"a","b\"c"},{NULL,"d"}}`, every element quoted, the bounds before it when one is not 1.
    func text() -> [UInt8] {
        var text: [UInt8] = []
        if dimensions.contains(where: { $0.lowerBound != 1 }) {
            for dimension in dimensions {
                let upper = Int(dimension.lowerBound) + dimension.count - 1
                text.append(contentsOf: "[\(dimension.lowerBound):\(upper)]".utf8)
            }
            text.append(UInt8(ascii: "="))
        }
        if dimensions.isEmpty {
            text.append(contentsOf: "{}".utf8)
            return text
        }
        var rest = items[...]
        appendText(0, &rest, &text)
        return text
    }

    private func appendText(_ depth: Int, _ rest: inout ArraySlice<[UInt8]?>, _ text: inout [UInt8]) {
        text.append(UInt8(ascii: "{"))
        for position in 0..<dimensions[depth].count {
            if position > 0 { text.append(Self.delimiter(element)) }
            if depth + 1 < dimensions.count {
                appendText(depth + 1, &rest, &text)
            } else if let item = rest.removeFirst() {
                text.append(UInt8(ascii: "\""))
                for byte in item {
                    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                        text.append(UInt8(ascii: "\\"))
                    }
                    text.append(byte)
                }
                text.append(UInt8(ascii: "\""))
            } else {
                text.append(contentsOf: "NULL".utf8)
            }
        }
        text.append(UInt8(ascii: "}"))
    }
}
