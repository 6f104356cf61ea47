import PostgresValues
import Testing

@Suite struct LocalDateTests {
    @Test(
        arguments: [
            (0, "2000-01-01"), (-1, "1999-12-31"), (59, "2000-02-29"), (.max, "infinity"),
            (.min, "-infinity"),
            (-2_451_545, "4714-11-24 BC"), (2_145_031_948, "5874897-12-31"), (-730_485, "0001-01-01 BC"),
        ] as [(Int32, String)])
    func everyFormIsExact(days: Int32, text: String) throws {
        try checkAllForms(LocalDate(daysSince2000: days), text)
    }

    @Test func componentsGoBothWays() throws {
        for days in stride(from: Int32(-2_451_545), through: 2_000_000, by: 9973) {
            let date = LocalDate(daysSince2000: days)
            let (year, month, day) = try #require(date.components)
            #expect(LocalDate(year: year, month: month, day: day) == date)
        }
        #expect(LocalDate(year: -43, month: 3, day: 15)?.description == "0044-03-15 BC")
        #expect(LocalDate.infinity.components == nil)
    }

    @Test func daysThatAreNotAreRefused() {
        #expect(LocalDate(year: 2023, month: 2, day: 29) == nil)
        #expect(LocalDate(year: 1900, month: 2, day: 29) == nil)
        #expect(LocalDate(year: 2000, month: 13, day: 1) == nil)
        #expect(LocalDate(year: .max, month: 1, day: 1) == nil)
        #expect(LocalDate(year: 5_874_898, month: 1, day: 1) == nil)
        checkRefused(
            LocalDate.self, ["", "2000-1-1", "2000-02-30", "01/02/2000", "2000-01-01 AD", "0000-01-01"])
        #expect(throws: PostgresValueError.self) {
            try LocalDate(daysSince2000: -2_451_546).postgresParameter()
        }
    }
}

@Suite struct LocalTimeTests {
    @Test(
        arguments: [
            (0, "00:00:00"), (86_400_000_000, "24:00:00"), (86_399_999_999, "23:59:59.999999"),
            (3_723_400_000, "01:02:03.4"),
        ] as [(Int64, String)])
    func everyFormIsExact(microseconds: Int64, text: String) throws {
        let time = try #require(LocalTime(microseconds: microseconds))
        try checkAllForms(time, text)
        for (offset, suffix) in [
            (0, "+00"), (19_800, "+05:30"), (-28_378, "-07:52:58"), (57_599, "+15:59:59"),
        ] {
            try checkAllForms(try #require(OffsetTime(time, offset: Int32(offset))), text + suffix)
        }
    }

    @Test func clocksShowNothingElse() {
        #expect(LocalTime(microseconds: -1) == nil)
        #expect(LocalTime(microseconds: 86_400_000_001) == nil)
        #expect(LocalTime(hour: 24, minute: 0) == .endOfDay)
        #expect(LocalTime(hour: 24, minute: 0, second: 1) == nil)
        #expect(LocalTime(hour: .max, minute: 0) == nil)
        checkRefused(LocalTime.self, ["", "24:00:00.000001", "1:00:00", "12", "12:60:00", "12:00:00 PM"])
        checkRefused(OffsetTime.self, ["", "12:00:00", "12:00:00+16:00", "12:00:00+5"])
        #expect(OffsetTime(.midnight, offset: .min) == nil)
        #expect(failure(LocalTime.self, .time, .binary, big(Int64(-1)))?.code == .malformed)
        #expect(
            failure(OffsetTime.self, .timetz, .binary, big(Int64(0)) + big(Int32.min))?.code == .malformed)
    }

    @Test func offsetTimesAreOrderedByTheirInstant() throws {
        let early = try #require(OffsetTime("12:00:00+02"))
        let late = try #require(OffsetTime("11:00:00+00"))
        #expect(early < late)
        let east = try #require(OffsetTime("12:00:00+01"))
        #expect(east < late && east != late && !(late < east))
    }
}
