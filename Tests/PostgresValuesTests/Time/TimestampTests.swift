import FoundationEssentials
import PostgresValues
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "2000-01-01 00:00:00+00"), (-1, "1999-12-31 23:59:59.999999+00"), (.max, "infinity"),
            (.min, "-infinity"), (500_000, "2000-01-01 00:00:00.5+00"),
            (-211_813_488_000_000_000, "4714-11-24 00:00:00+00 BC"),
            (9_223_371_331_199_999_999, "294276-12-31 23:59:59.999999+00"),
            (-63_113_904_000_000_000, "0001-01-01 00:00:00+00 BC"),
        ] as [(Int64, String)])
    func everyFormIsExact(microseconds: Int64, text: String) throws {
        try checkAllForms(Timestamp(microsecondsSince2000: microseconds), text)
        let local = text.replacing("+00", with: "")
        try checkAllForms(LocalDateTime(microsecondsSince2000: microseconds), local)
    }

    @Test(arguments: [
        ("2000-01-01 02:00:00+02", 0), ("1999-12-31 16:07:02-07:52:58", 0), ("2000-01-01T00:00:00Z", 0),
        ("2000-01-01 05:30:00+05:30", 0), ("1999-12-31 24:00:00+00", 0),
    ])
    func everyOffsetIsRead(text: String, microseconds: Int64) {
        #expect(Timestamp(text)?.microsecondsSince2000 == microseconds)
    }

    @Test func otherTextsAreNoInstants() {
        checkRefused(
            Timestamp.self,
            [
                "", "2000-01-01", "2000-01-01 00:00:00", "2000-02-30 00:00:00+00", "2000-13-01 00:00:00+00",
                "2000-01-01 24:00:01+00", "2000-01-01 00:60:00+00", "01/02/2000 00:00:00 UTC",
                "2000-01-01 00:00:00+00 AD", "2000-01-01 00:00:00.1234567+00", "0000-01-01 00:00:00+00",
                "999999999-01-01 00:00:00+00",
            ])
        checkRefused(LocalDateTime.self, ["", "2000-01-01 00:00:00+00", "2000-02-30 00:00:00"])
    }

    @Test func whatTheServerRefusesIsRefusedHere() {
        for microseconds in [
            Timestamp.earliest.microsecondsSince2000 - 1, Timestamp.latest.microsecondsSince2000 + 1,
        ] {
            #expect(throws: PostgresValueError.self) {
                try Timestamp(microsecondsSince2000: microseconds).postgresParameter()
            }
            #expect(throws: PostgresValueError.self) {
                try LocalDateTime(microsecondsSince2000: microseconds).postgresParameter()
            }
        }
    }

    @Test func everyMicrosecondOf1999SurvivesADate() throws {
        var random = SeededGenerator(state: 1999)
        for _ in 0..<20_000 {
            let value = Timestamp(
                microsecondsSince2000: -Int64.random(in: 1...31_536_000_000_000, using: &random))
            #expect(try Timestamp(Date(value)) == value)
        }
    }

    @Test func infinitiesAreNoDates() {
        #expect(throws: PostgresValueError.self) { try Date(Timestamp.infinity) }
        #expect(throws: PostgresValueError.self) { try Date(Timestamp.negativeInfinity) }
        #expect(throws: PostgresValueError.self) {
            try Timestamp(Date.distantFuture.addingTimeInterval(1e13))
        }
    }

    @Test func infinityIsLast() {
        let sorted: [Timestamp] = [
            .negativeInfinity, .earliest, Timestamp(microsecondsSince2000: 0), .latest, .infinity,
        ]
        #expect(sorted.reversed().sorted() == sorted)
        #expect(!Timestamp.infinity.isFinite && Timestamp.latest.isFinite)
    }

    @Test func localTimesComeFromDatesClocksAndInstants() throws {
        let date = try #require(LocalDate(year: 2024, month: 2, day: 29))
        let time = try #require(LocalTime(hour: 12, minute: 30, second: 1, microsecond: 5))
        let both = try #require(LocalDateTime(date, time))
        #expect(both.description == "2024-02-29 12:30:01.000005")
        #expect(both.date == date && both.time == time)
        #expect(LocalDateTime(date, .endOfDay)?.description == "2024-03-01 00:00:00")
        #expect(LocalDateTime(.infinity) == .infinity && LocalDateTime(.infinity)?.time == nil)
        #expect(LocalDateTime.negativeInfinity.date == .negativeInfinity)
        #expect(LocalDateTime(.latest) == nil)
        let instant = Timestamp(microsecondsSince2000: 0)
        #expect(LocalDateTime(instant, secondsFromUTC: -3600).description == "1999-12-31 23:00:00")
        #expect(LocalDateTime(Timestamp.infinity, secondsFromUTC: 7) == .infinity)
    }
}
