import FoundationEssentials
import PostgresValues
import Testing

@Suite struct PostgresRangeTests {
    @Test(arguments: [
        "empty", "[1,10)", "[1,10]", "(1,10]", "(1,10)", "(,)", "[1,)", "(,-5]", "[-2147483648,2147483647]",
    ])
    func everyFormIsExact(text: String) throws {
        try checkAllForms(try #require(PostgresRange<Int32>(text)), text)
        try checkAllForms(try #require(PostgresRange<Int64>(text)), text)
        try checkAllForms(try #require(PostgresRange<Int>(text)), text)
        try checkAllForms(try #require(PostgresRange<PostgresNumeric>(text)), text)
    }

    @Test func boundsAreQuotedWhereTheyMustBe() throws {
        try checkAllForms(
            try #require(PostgresRange<LocalDateTime>("[\"2020-01-01 00:00:00\",infinity)")),
            "[\"2020-01-01 00:00:00\",infinity)")
        try checkAllForms(
            PostgresRange<Timestamp>(
                lower: .exclusive(Timestamp(microsecondsSince2000: 0)), upper: .unbounded),
            "(\"2000-01-01 00:00:00+00\",)")
        try checkAllForms(
            try #require(PostgresRange<LocalDate>("[2020-01-01,2020-02-01)")), "[2020-01-01,2020-02-01)")
        try checkAllForms(PostgresRange(Decimal(1)...Decimal(2)), "[1,2]")
    }

    @Test func multirangesToo() throws {
        for text in ["{}", "{[1,3)}", "{[1,3),[5,)}", "{(,)}"] {
            try checkAllForms(try #require(PostgresMultirange<Int32>(text)), text)
            try checkAllForms(try #require(PostgresMultirange<PostgresNumeric>(text)), text)
        }
        let text = "{[\"2020-01-01 00:00:00\",\"2020-01-02 00:00:00\")}"
        try checkAllForms(try #require(PostgresMultirange<LocalDateTime>(text)), text)
        checkRefused(
            PostgresMultirange<Int32>.self, ["", "{", "{[1,2)", "{[1,2)[3,4)}", "{,}", "{[1,2),}", "{} "])
        #expect(([PostgresRange(1..<3)] as PostgresMultirange<Int>).contains(2))
    }

    @Test func swiftRangesGoBothWays() {
        #expect(PostgresRange(1..<10).description == "[1,10)")
        #expect(PostgresRange(1...10).description == "[1,10]")
        #expect(PostgresRange(1...).description == "[1,)")
        #expect(PostgresRange(..<10).description == "(,10)")
        #expect(PostgresRange(...10).description == "(,10]")
        #expect(PostgresRange(5..<5) == .empty)
        #expect(Range(PostgresRange(1..<10)) == 1..<10)
        #expect(Range(PostgresRange(1...10)) == nil)
        #expect(ClosedRange(PostgresRange(1...10)) == 1...10)
        #expect(Range(PostgresRange<Int>.empty) == nil)
        #expect(Range(PostgresRange<Int>(lower: .inclusive(5), upper: .exclusive(1))) == nil)
    }

    @Test func containsFollowsTheBounds() {
        let range = PostgresRange<Int>(lower: .exclusive(1), upper: .inclusive(3))
        #expect([0, 1, 2, 3, 4].filter { range.contains($0) } == [2, 3])
        #expect(!PostgresRange<Int>.empty.contains(1) && PostgresRange<Int>.everything.contains(.min))
    }

    @Test func widerBoundsReadNarrowerRanges() throws {
        let bytes = try PostgresRange<Int32>(1..<10).postgresParameter().bytes
        #expect(try decode(PostgresRange<Int>.self, .int4range, .binary, bytes) == PostgresRange(1..<10))
        #expect(
            failure(PostgresRange<Int32>.self, .int8range, .text, Array("[1,2)".utf8))?.code == .typeMismatch)
    }

    @Test func anInfiniteDateCannotBeABound() {
        #expect(throws: PostgresValueError.self) {
            try PostgresRange(Date(timeIntervalSinceReferenceDate: .infinity)...).postgresParameter()
        }
        let open = Array("[infinity,)".utf8)
        #expect(failure(PostgresRange<Date>.self, .tstzrange, .text, open)?.code == .malformed)
    }

    @Test func otherTextsAreNoRanges() {
        checkRefused(
            PostgresRange<Int32>.self,
            ["", "[1,2", "1,2", "[1;2)", "[a,b)", "[1,2) ", "[\"1,2)", "[1,2,3)", "[1\\", "[,\"\"]", "EMPTY"])
    }
}
