import FoundationEssentials
import Postgres
import PostgresValues
import ReactorTesting
import Testing

@Suite struct NumberTypesTests {
    @Test func integers() async throws {
        try await TypeTests.withConnection { connection in
            let int2 = TypeCheck("int2", Int16.self)
            try await int2.check(["-32768", "0", "32767"], on: connection)
            try await int2.checkRandom(on: connection) { $0.integer() }
            let int4 = TypeCheck("int4", Int32.self)
            try await int4.check(["-2147483648", "0", "2147483647"], on: connection)
            try await int4.checkRandom(on: connection) { $0.integer() }
            let int8 = TypeCheck("int8", Int64.self)
            try await int8.check(["-9223372036854775808", "0", "9223372036854775807"], on: connection)
            try await int8.checkRandom(on: connection) { $0.integer() }
            let oid = TypeCheck("oid", UInt32.self)
            try await oid.check(["0", "4294967295"], on: connection)
            try await oid.checkRandom(on: connection) { $0.integer() }
            try await TypeCheck("bool", Bool.self).check(["t", "f"], on: connection)
            try await TypeCheck("int8", Int.self).check(["-1", "1"], on: connection)
        }
    }

    @Test func floats() async throws {
        try await TypeTests.withConnection { connection in
            let special = [
                "NaN", "Infinity", "-Infinity", "-0", "0", "1.1", "1e15", "123456789012345", "1e-5", "0.0001",
            ]
            let float8 = TypeCheck("float8") { (value: Double) in Self.text(value) }
            try await float8.check(
                special + ["5e-324", "1.7976931348623157e308", "2.2250738585072014e-308"], on: connection)
            try await float8.checkRandom(on: connection) { $0.double() }
            let float4 = TypeCheck("float4") { (value: Float) in Self.text(value) }
            try await float4.check(special + ["1e-45", "3.4028235e38", "1e6"], on: connection)
            try await float4.checkRandom(on: connection) { $0.float() }
        }
    }

    @Test func numeric() async throws {
        try await TypeTests.withConnection { connection in
            let check = TypeCheck("numeric", PostgresNumeric.self)
            try await check.check(
                [
                    "0", "0.00", "1.10", "-1.10", "NaN", "Infinity", "-Infinity", "10000", "0.0001", "1e30",
                    "1e-30",
                    String(repeating: "9", count: 131_072), "-0." + String(repeating: "7", count: 16_383),
                ], on: connection)
            try await check.checkRandom(on: connection) { $0.numeric() }
            try await TypeCheck("numeric", UInt64.self).check(["0", "18446744073709551615"], on: connection)
            try await TypeCheck("numeric") { (value: Decimal) in value.description }
                .check(["-1.5", "99999999999999999999999999999999999999"], on: connection)
            try await TypeCheck("numeric(10,3)", PostgresNumeric.self).check(
                ["1.5", "-9999999.999"], on: connection)
        }
    }

    @Test func theOrderOfNumericIsTheServers() async throws {
        try await TypeTests.withConnection { connection in
            var random = SeededGenerator(seed: TypeTests.seed)
            let values = (0..<1000).map { _ in random.numeric() }
            let sorted = try await connection.one(
                [PostgresNumeric].self, "SELECT array_agg(v ORDER BY v) FROM unnest(\(values)::numeric[]) v")
            #expect(sorted == values.sorted(), "seed \(TypeTests.seed)")
        }
    }

    private static func text(_ value: some PostgresEncodable) -> String {
        let bytes = try? value.postgresParameter().textBytes()
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}
