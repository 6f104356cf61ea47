internal import PostgresValues

/// Presents a row to the `init(from:)` that the compiler wrote for a model.
struct ModelRowDecoder: Decoder {
    let row: ModelRow

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Keyed<Key>(row: row))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw unsupported(row.mapping.layout.typeName, "it decodes from a sequence")
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        throw unsupported(row.mapping.layout.typeName, "it decodes from a single value")
    }

    /// A row, by property.
    struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let row: ModelRow

        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { row.mapping.layout.columns.compactMap { Key(stringValue: $0) } }

        func contains(_ key: Key) -> Bool {
            row.mapping.layout.index(codingKey: key.stringValue) != nil
        }

        func decodeNil(forKey key: Key) throws -> Bool {
            row.row.isNull(at: try position(key))
        }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            let position = try position(key)
            if let value = try (type as? any PostgresDecodable.Type)?.read(row.row, position) as? T {
                return value
            }
            return try T(from: CellDecoder(cell: Cell(row: row.row, position: position), path: [key]))
        }

        func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try cell(key).read() }
        func decode(_ type: String.Type, forKey key: Key) throws -> String { try cell(key).read() }
        func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try cell(key).read() }
        func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try cell(key).read() }
        func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try cell(key).read() }
        func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try cell(key).read() }
        func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try cell(key).read() }
        func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try cell(key).read() }
        func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try cell(key).read() }
        func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try cell(key).read() }

        func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) throws
            -> KeyedDecodingContainer<NestedKey>
        {
            throw unsupported(row.mapping.layout.typeName, "it nests keys in \"\(key.stringValue)\"")
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            throw unsupported(row.mapping.layout.typeName, "it nests a sequence in \"\(key.stringValue)\"")
        }

        func superDecoder() throws -> any Decoder {
            throw unsupported(row.mapping.layout.typeName, "it decodes a superclass")
        }

        func superDecoder(forKey key: Key) throws -> any Decoder {
            throw unsupported(row.mapping.layout.typeName, "it decodes a superclass")
        }

        private func cell(_ key: Key) throws -> Cell {
            Cell(row: row.row, position: try position(key))
        }

        private func position(_ key: Key) throws -> Int {
            guard let index = row.mapping.layout.index(codingKey: key.stringValue) else {
                throw ModelError(
                    .notStored,
                    "\(row.mapping.layout.typeName) decodes \"\(key.stringValue)\", which is none of its stored properties; "
                        + "rename columns by `static var columns`, not by CodingKeys")
            }
            return row.mapping.positions[index]
        }
    }

    /// One cell of a row.
    struct Cell {
        let row: PostgresRow
        let position: Int

        func read<T: PostgresDecodable>() throws -> T { try row.decode(T.self, at: position) }
    }

    /// Presents one cell to a type that is `Decodable` and no `PostgresDecodable`.
    struct CellDecoder: Decoder, SingleValueDecodingContainer {
        let cell: Cell
        let path: [any CodingKey]

        var codingPath: [any CodingKey] { path }
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
            throw notAValue()
        }

        func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw notAValue() }

        func singleValueContainer() -> any SingleValueDecodingContainer { self }

        func decodeNil() -> Bool { cell.row.isNull(at: cell.position) }

        func decode<T: Decodable>(_ type: T.Type) throws -> T {
            if let value = try (type as? any PostgresDecodable.Type)?.read(cell.row, cell.position) as? T {
                return value
            }
            return try T(from: self)
        }

        private func notAValue() -> ModelError {
            unsupported(path.map(\.stringValue).joined(separator: "."), "its type is no PostgreSQL value")
        }
    }
}

extension PostgresDecodable {
    fileprivate static func read(_ row: PostgresRow, _ position: Int) throws -> any PostgresDecodable {
        try row.decode(Self.self, at: position)
    }
}

private func unsupported(_ what: String, _ reason: String) -> ModelError {
    ModelError(.unsupportedProperty, "\(what) cannot be read from a row: \(reason)")
}
