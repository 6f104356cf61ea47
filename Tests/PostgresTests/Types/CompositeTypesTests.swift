import Postgres
import PostgresValues
import ReactorTesting
import Testing

private struct Price: PostgresComposite, Hashable {
    var amount: PostgresNumeric
    var currency: String?
    var days: [LocalDate?]

    init(amount: PostgresNumeric, currency: String?, days: [LocalDate?]) {
        self.amount = amount
        self.currency = currency
        self.days = days
    }

    init(attributes: inout PostgresAttributes) throws {
        amount = try attributes.next()
        currency = try attributes.next()
        days = try attributes.next()
    }

    var attributes: [any PostgresEncodable] { [amount, currency, days] }
}

@Suite struct CompositeTypesTests {
    @Test func compositeTypesGoBothWays() async throws {
        try await TypeTests.withConnection { connection in
            try await connection.script(
                "CREATE TYPE pg_temp.price AS (amount numeric, currency text, days date[])")
            func make(_ random: inout SeededGenerator) -> Price {
                Price(
                    amount: random.numeric(), currency: random.chance(4) ? nil : random.text(),
                    days: random.chance(3) ? [] : [random.date(), nil])
            }
            var random = SeededGenerator(seed: TypeTests.seed)
            let prices = (0..<1000).map { _ in make(&random) }
            let rows = try await connection.query(
                "SELECT v, (v).amount, (v).currency, (v).days FROM unnest(\(prices)::pg_temp.price[]) v",
                timeout: nil)
            // A function in FROM that returns a composite is spread into its columns; the row as a value comes first.
            for (row, price) in zip(rows, prices) {
                #expect(try row.decode(Price.self, at: 0) == price, "seed \(TypeTests.seed)")
                #expect(try row.decode(PostgresNumeric.self, at: 1).description == price.amount.description)
                #expect(try row.decode(String?.self, at: 2) == price.currency)
                #expect(try row.decode([LocalDate?].self, at: 3) == price.days)
            }
            let list = try await connection.one([Price].self, "SELECT \(prices)::pg_temp.price[]")
            #expect(list == prices)
        }
    }

    @Test func recordsAreReadInTextAndInBinary() async throws {
        try await TypeTests.withConnection { connection in
            let price = Price(amount: 7, currency: nil, days: [LocalDate("2020-01-01"), nil])
            for _ in 0..<3 {
                let row = try await connection.query(
                    """
                    SELECT r, record_send(r), r::text
                    FROM (SELECT ROW(7::numeric, NULL::text, '{2020-01-01,NULL}'::date[]) AS r) s
                    """, timeout: nil)[0]
                #expect(try row.decode(Price.self, at: 0) == price)
                let record = try row.decode(PostgresRecord.self, at: 0)
                #expect(record.values.map { $0?.text } == ["7", nil, "{2020-01-01,NULL}"])
                let binary = PostgresRawValue(
                    oid: .record, bytes: try row.decode([UInt8].self, at: 1), format: .binary)
                #expect(try binary.decode(Price.self) == price)
                #expect(
                    try binary.decode(PostgresRecord.self).values.map { $0?.oid } == [
                        .numeric, nil, .dateArray,
                    ])
            }
        }
    }

    @Test func domainsAreReadAsTheirBaseType() async throws {
        try await TypeTests.withConnection { connection in
            try await connection.script(
                "CREATE DOMAIN pg_temp.percent AS numeric(5,2) CHECK (VALUE BETWEEN 0 AND 100)")
            for _ in 0..<3 {
                let row = try await connection.query(
                    "SELECT \(12.5 as Double)::float8::pg_temp.percent, \(["1.5"])::pg_temp.percent[]",
                    timeout: nil)[0]
                #expect(row.columns[0].oid == .numeric)
                #expect(try row.decode(PostgresNumeric.self, at: 0).description == "12.50")
                #expect(try row.decode([PostgresNumeric].self, at: 1).map(\.description) == ["1.50"])
            }
        }
    }
}

@Suite struct ArrayTypesTests {
    @Test func arraysOfSeveralDimensions() async throws {
        try await TypeTests.withConnection { connection in
            let numbers: [[Int32?]] = [[1, nil], [3, 4]]
            let texts = [[["a", "b\"{}"]], [["", "NULL"]]]
            let intervals = [[Interval(months: 1)], [Interval(days: -1)]]
            for _ in 0..<3 {
                let row = try await connection.query(
                    """
                    SELECT \(numbers), \(numbers)::text, \(texts)::text[], array_dims(\(texts)::text[]), \(intervals),
                        '[2:3][0:1]={{1,2},{3,4}}'::int8[], \([[Int32]]())::text, \(intervals)::text
                    """, timeout: nil)[0]
                #expect(try row.decode([[Int32?]].self, at: 0) == numbers)
                #expect(try row.decode(String.self, at: 1) == "{{1,NULL},{3,4}}")
                #expect(try row.decode([[[String]]].self, at: 2) == texts)
                #expect(try row.decode(String.self, at: 3) == "[1:2][1:1][1:2]")
                #expect(try row.decode([[Interval]].self, at: 4) == intervals)
                let bounded = try row.decode(PostgresArray<Int>.self, at: 5)
                #expect(
                    bounded[2, 0] == 1 && bounded[3, 1] == 4
                        && bounded.dimensions.map(\.lowerBound) == [2, 0])
                #expect(try row.decode(String.self, at: 6) == "{}")
                #expect(try row.decode(String.self, at: 7) == "{{\"1 mon\"},{\"-1 days\"}}")
            }
        }
    }

    @Test func lowerBoundsGoBothWays() async throws {
        try await TypeTests.withConnection { connection in
            let numbers = PostgresArray([1, 2, nil] as [Int?], lowerBound: -1)
            let texts = PostgresArray(
                ["a", "b c"], dimensions: [.init(lowerBound: 0, count: 1), .init(lowerBound: 5, count: 2)])!
            for _ in 0..<3 {
                let row = try await connection.query(
                    "SELECT \(numbers), \(numbers)::text, \(texts)::text[], \(texts)::text[]::text",
                    timeout: nil)[0]
                #expect(try row.decode(PostgresArray<Int?>.self, at: 0) == numbers)
                #expect(try row.decode(String.self, at: 1) == "[-1:1]={1,2,NULL}")
                #expect(try row.decode(PostgresArray<String>.self, at: 2) == texts)
                #expect(try row.decode(String.self, at: 3) == "[0:0][5:6]={{a,\"b c\"}}")
            }
        }
    }

    @Test func aRawValueIsBoundAgainAsItCame() async throws {
        try await TypeTests.withConnection { connection in
            for expression in [
                "'(1,2)'::tid", "'10:20:10,14'::pg_snapshot", "1.5::numeric", "ARRAY[1,2]", "'x'::xml",
            ] {
                for _ in 0..<3 {
                    let row = try await connection.query(
                        SQL(raw: "SELECT \(expression) AS v, (\(expression))::text"), timeout: nil)[0]
                    let value = try row.decode(PostgresRawValue.self, at: 0)
                    let again = try await connection.one(String.self, "SELECT \(value)::text")
                    #expect(try row.decode(String.self, at: 1) == again)
                }
            }
            let row = try await connection.query("SELECT '(1,2)'::tid AS place", timeout: nil)[0]
            let error = #expect(throws: PostgresValueError.self) { try row.decode(Int.self, at: 0) }
            #expect(
                error?.description
                    == "rows[0], column \"place\": cannot read OID 27 as Int; cast it in the query: \"place\"::int8"
            )
        }
    }
}

@Suite struct CatalogTests {
    // The numbers and array types that this library knows by heart are those of the server.
    @Test func typeNumbersAreTheServers() async throws {
        try await TypeTests.withConnection { connection in
            let rows = try await connection.query(
                """
                SELECT oid, typname::text, typarray FROM pg_type
                WHERE oid < 16384 AND typtype IN ('b', 'r', 'm', 'p') AND typcategory <> 'A' AND typname NOT LIKE '\\_%'
                """, timeout: nil)
            var known = 0
            for row in rows {
                let (number, name, array) = try row.decode(UInt32.self, String.self, UInt32.self)
                let oid = PostgresTypeOID(rawValue: number)
                guard oid.description.contains("(") else { continue }
                known += 1
                let shown = ["bpchar": "char(n)", "char": "\"char\""][name] ?? name
                #expect(oid.description == "\(shown) (OID \(number))")
                #expect(oid.array?.rawValue ?? 0 == array)
                #expect(array == 0 || PostgresTypeOID(rawValue: array).arrayElement == oid)
            }
            #expect(known >= 56)
        }
    }
}
