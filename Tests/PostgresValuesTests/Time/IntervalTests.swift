import PostgresValues
import Testing

@Suite struct IntervalTests {
    @Test(arguments: [
        (Interval(), "00:00:00"),
        (Interval(months: 14, days: 3, microseconds: 14_706_700_000), "1 year 2 mons 3 days 04:05:06.7"),
        (Interval(months: -14, days: 3, microseconds: -1), "-1 years -2 mons +3 days -00:00:00.000001"),
        (Interval(days: -1, microseconds: 1_000_000), "-1 days +00:00:01"),
        (Interval(months: 1), "1 mon"), (Interval(months: -12), "-1 years"),
        (
            Interval(months: .max, days: .max, microseconds: .max),
            "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807"
        ),
        (
            Interval(months: .min, days: .min, microseconds: .min),
            "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775808"
        ),
    ])
    func everyFormIsExact(value: Interval, text: String) throws {
        try checkAllForms(value, text)
    }

    // What SELECT writes after SET intervalstyle = …
    @Test(arguments: [
        ("P1Y2M3DT4H5M6.7S", Interval(months: 14, days: 3, microseconds: 14_706_700_000)),
        ("P-1Y-2M3DT-4H-5M-6.7S", Interval(months: -14, days: 3, microseconds: -14_706_700_000)),
        ("PT-0.5S", Interval(microseconds: -500_000)), ("PT0S", Interval()),
        (
            "@ 1 year 2 mons 3 days 4 hours 5 mins 6.7 secs",
            Interval(months: 14, days: 3, microseconds: 14_706_700_000)
        ),
        (
            "@ 1 year 2 mons -3 days 4 hours 5 mins 6.7 secs ago",
            Interval(months: -14, days: 3, microseconds: -14_706_700_000)
        ),
        ("@ 0", Interval()), ("@ 0.5 secs ago", Interval(microseconds: -500_000)),
        ("+1-2 +3 +4:05:06.7", Interval(months: 14, days: 3, microseconds: 14_706_700_000)),
        ("-1-2 +3 -4:05:06.7", Interval(months: -14, days: 3, microseconds: -14_706_700_000)),
        ("1-2", Interval(months: 14)), ("-1-2", Interval(months: -14)),
        ("-3 4:05:06", Interval(days: -3, microseconds: -14_706_000_000)),
        ("3 4:05:06", Interval(days: 3, microseconds: 14_706_000_000)), ("0", Interval()),
        ("-0:00:00.5", Interval(microseconds: -500_000)), ("10-11", Interval(months: 131)),
    ])
    func everyStyleIsRead(text: String, value: Interval) {
        #expect(Interval(text) == value)
    }

    @Test func otherTextsAreNoIntervals() {
        checkRefused(
            Interval.self,
            [
                "", "P", "P1", "1 fortnight", "1 yearly", "PT1D", "P1H", "5", "1 mon ago ago", "ago",
                "1 day,",
                "99999999999 days", "999999999 years", "-", "1 day 00:61:00", "@",
            ])
    }

    @Test func aMonthIsNotThirtyDaysButTakesAsLong() {
        let month = Interval(months: 1)
        let days = Interval(days: 30)
        #expect(month != days && month.isAsLong(as: days))
        #expect(Interval(days: 29, microseconds: 86_399_999_999).isShorter(than: month))
        #expect(
            Interval(months: .max, days: .max, microseconds: .max).isAsLong(
                as: Interval(
                    months: .max, days: .max, microseconds: .max)))
    }

    @Test func durationsAreMicrosecondsOnly() {
        #expect(Interval(.seconds(90)) == Interval(microseconds: 90_000_000))
        #expect(Interval(.nanoseconds(1500)) == Interval(microseconds: 2))
        #expect(Interval(.nanoseconds(-1500)) == Interval(microseconds: -2))
        #expect(Interval(Duration(secondsComponent: .max, attosecondsComponent: 0)) == nil)
        #expect(Interval(microseconds: 5).duration == .microseconds(5))
        #expect(Interval(days: 1).duration == nil)
    }
}
