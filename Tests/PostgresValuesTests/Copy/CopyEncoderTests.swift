import PostgresValues
import Testing

/// Values written in place are what their parameters would be.
@Suite struct CopyEncoderTests {
    @Test func numbersAreWrittenAsTheServerWritesThem() throws {
        var encoder = PostgresCopyTextEncoder()
        try encoder.append(0.0001, 9.999e-05, 100.0, -0.5, 999_999_999_999_999.0, 1e15, -0.0, 123_456.75)
        try encoder.append(
            Float(0.0001), Float(9.999e-05), Float(100), Float(-0.5), Float(999_999), Float(1e6), -Float(0),
            Float(0.1))
        #expect(
            String(decoding: encoder.finish(), as: UTF8.self)
                == "0.0001\t9.999e-05\t100\t-0.5\t999999999999999\t1e+15\t-0\t123456.75\n"
                + "0.0001\t9.999e-05\t100\t-0.5\t999999\t1e+06\t-0\t0.1\n")
    }

    @Test func aZeroIsFoundWhereverItIs() throws {
        let columns = PostgresColumns([PostgresColumn(name: "t", oid: .text, format: .binary, index: 0)])
        for filler in ["a", "\u{1}", "\u{7F}", "é", "\u{80}"] {
            for length in 0..<40 {
                var encoder = PostgresCopyBinaryEncoder(columns: columns)
                let text = String(repeating: filler, count: length)
                try encoder.append(text)
                #expect(encoder.take().suffix(text.utf8.count) == Array(text.utf8)[...])
                for place in 0...length {
                    let zero = text.prefix(place) + "\0" + text.dropFirst(place)
                    let error = #expect(throws: PostgresValueError.self) { try encoder.append(String(zero)) }
                    #expect(error?.code == .nulCharacter && encoder.byteCount == 0)
                }
            }
        }
    }

    @Test func aByteToEscapeIsFoundWhereverItIs() throws {
        for filler in ["a", "\u{E}", "[", "]", "\u{7F}", "é", "\u{80}"] {
            for length in 0..<24 {
                for place in 0...length {
                    let front = String(repeating: filler, count: place)
                    let back = String(repeating: filler, count: length - place)
                    for (byte, escaped) in [
                        ("\\", "\\\\"), ("\t", "\\t"), ("\u{8}", "\\b"), ("\u{1}", "\u{1}"),
                    ] {
                        var encoder = PostgresCopyTextEncoder()
                        try encoder.append(front + byte + back)
                        #expect(encoder.take() == Array((front + escaped + back + "\n").utf8))
                    }
                    var encoder = PostgresCopyTextEncoder()
                    let error = #expect(throws: PostgresValueError.self) {
                        try encoder.append(front + "\0" + back)
                    }
                    #expect(error?.code == .nulCharacter && encoder.byteCount == 0)
                }
            }
        }
    }

    @Test func textWritesValuesAsTheirParametersAre() throws {
        var random = SeededGenerator(state: 5)
        let integers: [Int64] =
            [0, 1, -1, 9, 10, -10, 99, 100, .min, .max]
            + (0..<200).map { Int64(bitPattern: random.next()) >> ($0 % 64) }
        let doubles: [Double] = [
            0, -0.0, 1e-4, 9.99e-5, 1e15, 999_999_999_999_999, 1e6, 123_456, .nan, -.infinity,
        ]
        for (place, integer) in integers.enumerated() {
            let double = place < doubles.count ? doubles[place] : Double(bitPattern: random.next())
            let row = (
                integer, Int(integer), Int32(truncatingIfNeeded: integer), Int16(truncatingIfNeeded: integer),
                double,
                Float(double), integer % 2 == 0, place % 3 == 0 ? nil : "\(double)"
            )
            var (values, parameters) = (PostgresCopyTextEncoder(), PostgresCopyTextEncoder())
            try values.append(row.0, row.1, row.2, row.3, row.4, row.5, row.6, row.7)
            try parameters.append(row: [
                row.0.postgresParameter(), row.1.postgresParameter(), row.2.postgresParameter(),
                row.3.postgresParameter(),
                row.4.postgresParameter(), row.5.postgresParameter(), row.6.postgresParameter(),
                row.7.postgresParameter(),
            ])
            #expect(values.take() == parameters.take())
        }
    }

    @Test func valuesAreWrittenAsTheirParametersAre() throws {
        var random = SeededGenerator(state: 3)
        let oids: [PostgresTypeOID] = [.int2, .int4, .int8, .float8, .float4, .bool, .text, .int4]
        let columns = PostgresColumns(
            oids.enumerated().map { PostgresColumn(name: "c", oid: $1, format: .binary, index: $0) })
        var (values, parameters) = (
            PostgresCopyBinaryEncoder(columns: columns), PostgresCopyBinaryEncoder(columns: columns)
        )
        for number in 0..<200 {
            let bits = random.next()
            let row = (
                Int16(truncatingIfNeeded: bits), Int(Int32(truncatingIfNeeded: bits)),
                bits % 4 == 0 ? nil : Int64(bitPattern: bits),
                Double(bitPattern: bits), Float(bitPattern: UInt32(truncatingIfNeeded: bits)), bits % 2 == 0,
                String(repeating: "ü", count: number), Int32(truncatingIfNeeded: bits)
            )
            try values.append(row.0, row.1, row.2, row.3, row.4, row.5, row.6, row.7)
            try parameters.append(row: [
                row.0.postgresParameter(), row.1.postgresParameter(), row.2.postgresParameter(),
                row.3.postgresParameter(),
                row.4.postgresParameter(), row.5.postgresParameter(), row.6.postgresParameter(),
                row.7.postgresParameter(),
            ])
        }
        #expect(values.rowCount == 200 && values.finish() == parameters.finish())
    }
}
