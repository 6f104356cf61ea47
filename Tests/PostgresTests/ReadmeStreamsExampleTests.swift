import Greenlets
import Postgres
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

/// The part of README.md about streams, COPY and messages, compiled and run. Keep the two alike.
@Suite struct ReadmeStreamsExampleTests {
    @Test func theExampleDoesWhatItSays() async throws {
        try await Database().withPool(.init(maximum: 2)) { (pool, _) async throws in
            try await pool.execute("CREATE TABLE film AS VALUES (1::int8, 'Alien'), (2, 'Brazil')")
            try await pool.execute("ALTER TABLE film RENAME column1 TO id")
            try await pool.execute("ALTER TABLE film RENAME column2 TO title")
            var titles: [Int64: String] = [:]
            var file: [UInt8] = []
            var seen: [PostgresNotificationEvent] = []

            for try await row in pool.stream("SELECT id, title FROM film") {
                let (id, title) = try row.decode(Int64.self, String.self)
                titles[id] = title
            }
            try await pool.copyIn(into: "film", columns: ["id", "title"]) { rows in
                for number in 3...1000 { try await rows.write(Int64(number), "film \(number)") }
            }
            for try await chunk in pool.copyOut(table: "film", format: .csv(header: true)) { file += chunk }

            let events = try await pool.listen("orders")
            try await pool.notify("orders", "17")
            for try await event in events {
                seen.append(event)
                break
            }

            #expect(titles == [1: "Alien", 2: "Brazil"])
            #expect(file.count { $0 == UInt8(ascii: "\n") } == 1001)
            #expect(seen.first?.notification?.payload == "17")
        }
    }
}
