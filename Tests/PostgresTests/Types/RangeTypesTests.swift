import Postgres
import PostgresValues
import ReactorTesting
import Testing

@Suite struct RangeTypesTests {
    private static let forms = ["empty", "[1,10)", "[1,10]", "(1,10]", "(,)", "[1,)", "(,5]", "[3,3]"]

    @Test func rangesOfIntegers() async throws {
        try await TypeTests.withConnection { connection in
            let int4 = TypeCheck("int4range", PostgresRange<Int32>.self)
            try await int4.check(Self.forms + ["[-2147483648,2147483647)"], on: connection)
            try await int4.checkRandom(on: connection) { $0.range { $0.integer(Int32.self) } }
            let int8 = TypeCheck("int8range", PostgresRange<Int>.self)
            try await int8.check(Self.forms, on: connection)
            try await int8.checkRandom(on: connection) { $0.range { $0.integer(Int.self) } }
            try await TypeCheck("int4multirange", PostgresMultirange<Int32>.self)
                .check(["{}", "{[1,3),[5,)}", "{[1,3),[2,5]}", "{(,)}"], on: connection)
            try await TypeCheck("int4multirange", PostgresMultirange<Int32>.self)
                .checkRandom(on: connection) { $0.multirange { $0.integer(Int32.self) } }
            try await TypeCheck("int8multirange", PostgresMultirange<Int64>.self)
                .checkRandom(on: connection) { $0.multirange { $0.integer(Int64.self) } }
        }
    }

    @Test func rangesOfNumbers() async throws {
        try await TypeTests.withConnection { connection in
            let check = TypeCheck("numrange", PostgresRange<PostgresNumeric>.self)
            try await check.check(Self.forms + ["(1.10,2.200]", "[-Infinity,NaN]"], on: connection)
            try await check.checkRandom(on: connection) { $0.range { $0.numeric() } }
            try await TypeCheck("nummultirange", PostgresMultirange<PostgresNumeric>.self)
                .checkRandom(on: connection) { $0.multirange { $0.numeric() } }
        }
    }

    @Test func rangesOfTimes() async throws {
        try await TypeTests.withConnection { connection in
            let days = TypeCheck("daterange", PostgresRange<LocalDate>.self)
            try await days.check(
                ["empty", "[2020-01-01,2020-01-31]", "(,infinity)", "[-infinity,infinity]"], on: connection)
            try await days.checkRandom(on: connection) { $0.range { $0.date() } }
            try await TypeCheck("datemultirange", PostgresMultirange<LocalDate>.self)
                .checkRandom(on: connection) { $0.multirange { $0.date() } }
            let instants = TypeCheck("tstzrange", PostgresRange<Timestamp>.self)
            try await instants.check(["empty", "[2020-01-01,infinity]", "(,)"], on: connection)
            try await instants.checkRandom(on: connection) { $0.range { $0.timestamp() } }
            try await TypeCheck("tstzmultirange", PostgresMultirange<Timestamp>.self)
                .checkRandom(on: connection) { $0.multirange { $0.timestamp() } }
            let local = TypeCheck("tsrange", PostgresRange<LocalDateTime>.self)
            try await local.check(
                ["empty", "(2020-01-01,2020-01-02 00:00:00.5]", "[,infinity)"], on: connection)
            try await local.checkRandom(on: connection) { $0.range { $0.localDateTime() } }
            try await TypeCheck("tsmultirange", PostgresMultirange<LocalDateTime>.self)
                .checkRandom(on: connection) { $0.multirange { $0.localDateTime() } }
        }
    }

    @Test func rangeTypesMadeInTheDatabaseGoAsText() async throws {
        try await TypeTests.withConnection { connection in
            try await connection.script("CREATE TYPE pg_temp.textrange AS RANGE (subtype = text)")
            let check = TypeCheck("pg_temp.textrange", PostgresRange<Word>.self)
            try await check.check(
                [#"[a,b)"#, #"["x y","z,"]"#, #"["",a)"#, #"(,"q""r\\"]"#, "empty"], on: connection)
        }
    }
}

/// A text as bound of a range type that is not built in.
private struct Word: PostgresTextValue, PostgresRangeBound {
    let description: String
    init(_ description: String) { self.description = description }
    static var postgresType: PostgresTypeOID { .inferred }
}
