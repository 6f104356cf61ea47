import FoundationEssentials
import Postgres
import PostgresValues
import ReactorTesting
import Testing

@Suite struct TimeTypesTests {
    @Test func timestamps() async throws {
        try await TypeTests.withConnection { connection in
            let special = [
                "infinity", "-infinity", "2000-01-01", "1999-12-31 23:59:59.999999", "4714-11-24 00:00:00 BC",
                "294276-12-31 23:59:59.999999", "0001-01-01 BC", "2024-02-29 12:00:00.5", "10000-01-01",
            ]
            let instant = TypeCheck("timestamptz", Timestamp.self)
            try await instant.check(special, on: connection)
            try await instant.checkRandom(on: connection) { $0.timestamp() }
            let local = TypeCheck("timestamp", LocalDateTime.self)
            try await local.check(special, on: connection)
            try await local.checkRandom(on: connection) { $0.localDateTime() }
            let date = TypeCheck("timestamptz") { (value: Date) in (try? Timestamp(value).description) ?? "" }
            try await date.check(["1999-06-01 00:00:00.000001", "0044-03-15 BC"], on: connection)
            try await date.checkRandom(on: connection) {
                let microseconds = Int64.random(in: -31_536_000_000_000...0, using: &$0)
                return (try? Date(Timestamp(microsecondsSince2000: microseconds))) ?? .distantPast
            }
        }
    }

    @Test func days() async throws {
        try await TypeTests.withConnection { connection in
            let check = TypeCheck("date", LocalDate.self)
            try await check.check(
                ["infinity", "-infinity", "2000-01-01", "4714-11-24 BC", "5874897-12-31", "0001-12-31 BC"],
                on: connection)
            try await check.checkRandom(on: connection) { $0.date() }
        }
    }

    @Test func timesOfDay() async throws {
        try await TypeTests.withConnection { connection in
            let time = TypeCheck("time", LocalTime.self)
            try await time.check(["00:00", "24:00", "23:59:59.999999", "12:00:00.1"], on: connection)
            try await time.checkRandom(on: connection) { $0.time() }
            let offset = TypeCheck("timetz", OffsetTime.self)
            try await offset.check(
                ["00:00+00", "24:00-15:59:59", "12:00:00.5+05:30", "23:59:59.999999+15:59:59"], on: connection
            )
            try await offset.checkRandom(on: connection) {
                OffsetTime($0.time(), offset: Int32.random(in: -57_599...57_599, using: &$0))!
            }
        }
    }

    @Test func theOrderOfTimesWithOffsetsIsTheServers() async throws {
        try await TypeTests.withConnection { connection in
            let values = [
                "12:00:00+02", "11:00:00+01", "10:00:00+00", "10:00:00.5+00", "09:59:59-01", "24:00:00+05:30",
            ]
            .map { OffsetTime($0)! }
            let sorted = try await connection.one(
                [OffsetTime].self, "SELECT array_agg(v ORDER BY v) FROM unnest(\(values)::timetz[]) v")
            #expect(sorted == values.sorted())
        }
    }

    @Test func intervals() async throws {
        try await TypeTests.withConnection { connection in
            let check = TypeCheck("interval", Interval.self)
            try await check.check(
                [
                    "0", "1 year 2 mons -3 days 04:05:06.789", "-1 mons +1 day", "-00:00:00.000001",
                    "1 mon 30 days",
                    "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807",
                    "-178956970 years -8 mons",
                ], on: connection)
            try await check.checkRandom(on: connection) { $0.interval() }
        }
    }

    @Test(arguments: ["postgres", "postgres_verbose", "sql_standard", "iso_8601"])
    func everyIntervalStyleIsRead(style: String) async throws {
        try await TypeTests.withConnection { connection in
            try await connection.script("SET IntervalStyle = \(style)")
            var random = SeededGenerator(seed: TypeTests.seed)
            var values = (0..<1000).map { _ in random.interval() }
            values += [
                Interval(), Interval(months: 1), Interval(days: -1, microseconds: -1), Interval(months: -11),
            ]
            // money keeps the result in text.
            let rows = try await connection.query(
                "SELECT v, v::text, NULL::money FROM unnest(\(values)::interval[]) v", timeout: nil)
            for (row, value) in zip(rows, values) {
                let text = try row.decode(String.self, at: 1)
                #expect(try row.decode(Interval.self, at: 0) == value, "\(text), seed \(TypeTests.seed)")
            }
        }
    }

    @Test func lengthsOfIntervalsCompareAsInTheServer() async throws {
        try await TypeTests.withConnection { connection in
            var random = SeededGenerator(seed: TypeTests.seed)
            for _ in 0..<100 {
                let (left, right) = (
                    random.interval(), random.chance(2) ? random.interval() : Interval(days: 30)
                )
                let row = try await connection.query(
                    "SELECT \(left)::interval = \(right)::interval, \(left)::interval < \(right)::interval",
                    timeout: nil)[0]
                #expect(try row.decode(Bool.self, at: 0) == left.isAsLong(as: right))
                #expect(try row.decode(Bool.self, at: 1) == left.isShorter(than: right))
            }
            let same: Bool = try await connection.one("SELECT \(Interval(months: 1)) = \(Interval(days: 30))")
            #expect(same)
        }
    }

    // The session's time zone changes the text and never the instant.
    @Test func instantsAreReadWhateverTheTimeZone() async throws {
        try await TypeTests.withConnection { connection in
            for zone in ["America/St_Johns", "Asia/Kathmandu", "Europe/Amsterdam", "UTC"] {
                try await connection.script("SET TimeZone = '\(zone)'")
                var random = SeededGenerator(seed: TypeTests.seed)
                let values = (0..<200).map { _ in random.timestamp() }
                let rows = try await connection.query(
                    "SELECT v, NULL::money FROM unnest(\(values)::timestamptz[]) v", timeout: nil)
                for (row, value) in zip(rows, values) {
                    #expect(try row.decode(Timestamp.self, at: 0) == value, "\(zone), seed \(TypeTests.seed)")
                }
            }
        }
    }

    @Test func aDaylightSavingGapMovesInstantsAndNotLocalTimes() async throws {
        try await TypeTests.withConnection { connection in
            try await connection.script("SET TimeZone = 'Europe/Amsterdam'")
            let gap = LocalDateTime("2024-03-31 02:30:00")!
            #expect(try await connection.one(LocalDateTime.self, "SELECT \(gap)") == gap)
            let shifted = try await connection.one(String.self, "SELECT \(gap)::timestamptz::text")
            #expect(shifted == "2024-03-31 03:30:00+02")
        }
    }

    @Test func anotherDateStyleIsAnErrorThatSaysSo() async throws {
        try await TypeTests.withConnection { connection in
            try await connection.script("SET DateStyle = German")
            let rows = try await connection.query("SELECT now()::date AS day, NULL::money", timeout: nil)
            let error = #expect(throws: PostgresValueError.self) { try rows[0].decode(LocalDate.self, at: 0) }
            #expect(error?.description.contains("DateStyle = ISO") == true)
            #expect(error?.column == "day")
        }
    }
}
