import Testing

@testable import PostgresValues

/// Bytes that no server sends give an error or a value, and never stop the program.
@Suite struct DamagedValuesTests {
    private static let texts = [
        "", "-12.340e-5", "2004-10-19 10:23:54.5+02 BC", "P1Y2M3DT4H5M6.7S", "@ 1 year -2 mons 3 secs ago",
        "-1-2 +3 -4:05:06",
        "192.168.0.1/24", "2001:db8::1.2.3.4/64", "08:00:2b:01:02:03", "[1,10)", "{[1,3),[5,)}",
        "[\"2020-01-01 00:00:00\",)",
        "{{1,2},{3,NULL}}", "[2:3]={\"a\\\"b\",c}", "(a,\"b \"\"c\",)", "((1,2),(3e5,NaN))", "<(1,2),3>",
        "{1,2,3}", "16/B374D848",
        "01101", "\"a\"=>\"b\", \"c\"=>NULL", "\\x00ff", "t", "NaN", "infinity", "24:00:00-15:59",
    ]

    /// Reads the bytes as every type that has a name here, the array types among them.
    private func readAsEverything(_ bytes: [UInt8], _ format: PostgresFormat) {
        for entry in PostgresTypeOID.table {
            for oid in [entry.oid, entry.array].compactMap({ $0 }) {
                let value = PostgresParameter(oid: oid, format: format, bytes: bytes)
                if format == .binary {
                    _ = try? value.textBytes()
                } else if let type = PostgresParameter.textual[oid] {
                    _ = try? value.withCell { cell in try type.decode(cell).description }
                }
                _ = try? value.withCell { cell in try [[PostgresNumeric?]].decode(cell) }
                _ = try? value.withCell { cell in try PostgresArray<PostgresRange<Timestamp>?>.decode(cell) }
            }
        }
        let opaque = PostgresParameter(oid: PostgresTypeOID(rawValue: 20_000), format: format, bytes: bytes)
        _ = try? opaque.withCell { cell in try PostgresRecord.decode(cell).postgresParameter() }
        _ = try? opaque.withCell { cell in try HStore.decode(cell).description }
        _ = try? opaque.withCell { cell in try [[String]].decode(cell) }
    }

    @Test func randomBytesAreNoTrap() {
        var random = SeededGenerator(state: 1)
        for _ in 0..<60 {
            let bytes = (0..<(random.next() % 48)).map { _ in
                random.next() % 3 == 0 ? UInt8(truncatingIfNeeded: random.next()) : UInt8(random.next() % 4)
            }
            readAsEverything(bytes, .binary)
            readAsEverything(bytes, .text)
        }
    }

    @Test func textsWithOneByteChangedAreNoTrap() {
        var random = SeededGenerator(state: 2)
        let bytes = Array("0123456789-+:.,/ \"\\{}[]()<>eENT=aB".utf8)
        for text in Self.texts {
            for _ in 0..<4 {
                var changed = Array(text.utf8)
                let replacement = bytes[Int(random.next() % UInt64(bytes.count))]
                let position = Int(random.next() % UInt64(changed.count + 1))
                if position < changed.count && random.next() % 2 == 0 {
                    changed[position] = replacement
                } else {
                    changed.insert(replacement, at: position)
                }
                readAsEverything(changed, .text)
            }
        }
    }

    // Extremes in every place where a length, a count, a weight or a year may stand.
    @Test func extremesInEveryPlaceAreNoTrap() {
        for fill in [0x00, 0x7F, 0x80, 0xFF] as [UInt8] {
            for count in 0..<40 {
                readAsEverything([UInt8](repeating: fill, count: count), .binary)
                readAsEverything(
                    [UInt8](repeating: 0, count: count / 2) + [UInt8](repeating: fill, count: count), .binary)
            }
        }
        for digit in ["9", "0"] {
            let many = String(repeating: digit, count: 400)
            for text in Self.texts.map({ $0.replacing("1", with: many) }) {
                readAsEverything(Array(text.utf8), .text)
            }
        }
    }
}
