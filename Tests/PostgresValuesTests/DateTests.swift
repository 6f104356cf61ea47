import FoundationEssentials
import PostgresValues
import Testing

@Suite struct DateTests {
    /// Text, microseconds since 2000; as `SELECT t, extract(epoch FROM t)` says.
    static let instants: [(String, Int64)] = [
        ("2000-01-01 00:00:00+00", 0),
        ("1999-12-31 23:59:59.999999+00", -1),
        ("2004-10-19 10:23:54.123456+02", 151_489_434_123_456),
        ("2004-10-19 13:53:54.123456+05:30", 151_489_434_123_456),
        ("2004-10-19 00:31:56.1+00", 151_461_116_100_000),
        ("1883-11-18 12:00:00-07:52:58", -3_664_325_222_000_000),
        ("2000-02-29 12:00:00+00", 5_140_800_000_000),
        ("2024-02-29 00:00:00+00", 762_480_000_000_000),
        ("1900-03-01 00:00:00+00", -3_150_576_000_000_000),
        ("0001-01-01 00:00:00+00 BC", -63_113_904_000_000_000),
        ("4714-11-24 00:00:00+00 BC", -211_813_488_000_000_000),
        ("294276-12-31 23:59:59+00", 9_223_371_331_199_000_000),
    ]

    @Test(arguments: instants)
    func bothFormsAreTheSameInstant(text: String, microseconds: Int64) throws {
        let fromText = try decode(Date.self, .timestamptz, text: text)
        let fromBinary = try decode(Date.self, .timestamptz, .binary, big(microseconds))
        #expect(fromText == fromBinary)
        let seconds = Double(microseconds) / 1e6 - 366 * 86_400
        #expect(abs(fromText.timeIntervalSinceReferenceDate - seconds) <= abs(seconds).ulp)
    }

    @Test func everyMicrosecondFrom1730To2270ComesBack() throws {
        var generator = SeededGenerator(state: 3)
        for _ in 0..<10_000 {
            let microseconds = Int64.random(
                in: -8_520_000_000_000_000..<8_520_000_000_000_000, using: &generator)
            let date = try decode(Date.self, .timestamptz, .binary, big(microseconds))
            #expect(try date.postgresParameter().bytes == big(microseconds))
        }
    }

    @Test func bindingRoundsAndDoesNotTruncate() throws {
        let date = Date(timeIntervalSinceReferenceDate: 0.000_000_9)
        #expect(try date.postgresParameter().bytes == big(Int64(366 * 86_400_000_000 + 1)))
        let before = Date(timeIntervalSinceReferenceDate: -0.000_000_9)
        #expect(try before.postgresParameter().bytes == big(Int64(366 * 86_400_000_000 - 1)))
    }

    @Test(arguments: [
        (PostgresFormat.binary, big(Int64.max), "infinity"), (.binary, big(Int64.min), "-infinity"),
        (.text, Array("infinity".utf8), "infinity"), (.text, Array("-infinity".utf8), "-infinity"),
    ])
    func infinityIsAnErrorThatNamesIt(format: PostgresFormat, bytes: [UInt8], name: String) throws {
        let error = try #require(failure(Date.self, .timestamptz, format, bytes))
        #expect(error.code == .outOfRange)
        #expect(error.description.contains(" \(name),"))
    }

    @Test(arguments: [
        Double.nan, .infinity, -.infinity, 1e300, -1e300, 9_223_372_036_854 - 366 * 86_400, -3e11,
    ])
    func datesThatPostgreSQLHasNotAreRefused(interval: Double) {
        #expect { try Date(timeIntervalSinceReferenceDate: interval).postgresParameter() } throws: {
            ($0 as? PostgresValueError)?.code == .outOfRange
        }
    }

    @Test(arguments: [
        "", "2000-01-01", "2000-01-01 00:00:00", "Sat Jan 01 00:00:00 2000 UTC", "2000-13-01 00:00:00+00",
        "2000-01-01 00:00:00+00 AD", "2000-01-01 00:60:00+00", "2000-01-01 00:00:00.+00",
        "2000-01-01 00:00:00.1234567+00", "999999999999999999-01-01 00:00:00+00",
    ])
    func otherTextIsRefused(text: String) {
        #expect(failure(Date.self, .timestamptz, .text, Array(text.utf8))?.code == .malformed)
    }

    @Test func timesWithoutAZoneAreNoInstants() {
        #expect(failure(Date.self, .timestamp, .text, [])?.suggestedCast == "timestamptz")
        #expect(failure(Date.self, .date, .text, [])?.code == .typeMismatch)
    }
}
