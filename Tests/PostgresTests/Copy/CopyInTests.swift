import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// Rows go in by COPY: all of them, or none.
@Suite struct CopyInTests {
    private static let table: SQL = "CREATE TABLE film (id int8, title text, length int2, rating float8)"

    @Test(arguments: [PostgresCopyFormat.text, .binary])
    func rowsOfValuesArriveInBothForms(_ format: PostgresCopyFormat) async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute(Self.table)
            let count = try await pool.copyIn(into: "film", format: format) { rows in
                for number in 0..<20_000 {
                    try await rows.write(
                        number, "tab\t\(number)\\ ü\n", number % 2 == 0 ? nil : Int16(number % 100),
                        Double(number) / 4)
                }
            }
            #expect(count == 20_000)
            let row = try #require(
                try await pool.query(
                    """
                    SELECT count(*), count(length), sum(id)::int8, sum(rating), count(*) FILTER (WHERE title = E'tab\\t' || id || E'\\\\ ü\\n')
                    FROM film
                    """
                ).first)
            #expect(
                try row.decode(Int.self, Int.self, Int.self, Double.self, Int.self)
                    == (20_000, 10_000, 199_990_000, 49_997_500, 20_000))
        }
    }

    @Test func tuplesComeFromSequencesOfBothKinds() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute(Self.table)
            let films = [(1, "Alien"), (2, "Brazil")]
            #expect(try await pool.copyIn(into: "film", columns: ["id", "title"], rows: films) == 2)
            let later = AsyncStream<(Int, String?)> { continuation in
                for number in 3...102 { continuation.yield((number, nil)) }
                continuation.finish()
            }
            #expect(
                try await pool.copyIn(
                    into: "public.film", columns: ["id", "title"], format: .binary, rows: later)
                    == 100)
            let greenlet = Greenlet.spawn { () throws in
                try pool.copyIn(into: "film", columns: ["title"], rows: films.map(\.1))
                    + (try pool.copyIn(
                        into: "film", columns: ["id", "title"], rows: films.lazy.map { ($0.0 + 200, $0.1) }))
            }
            #expect(try await greenlet.get() == 4)
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM film WHERE title IS NOT NULL") == 6)
            #expect(try await pool.copyIn(into: "film", format: .binary) { _ in } == 0)
        }
    }

    @Test func bytesGoInAsTheyAre() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute(Self.table)
            let csv = Array("id,title\n1,\"a, b\"\n2,\n".utf8)
            let chunks = AsyncStream<[UInt8]> { continuation in
                for byte in csv { continuation.yield([byte]) }
                continuation.finish()
            }
            let count = try await pool.copyIn(
                into: "film", columns: ["id", "title"], format: .csv(header: true), chunks: chunks)
            #expect(count == 2)
            #expect(try await pool.one(String.self, "SELECT title FROM film WHERE id = 1") == "a, b")
            let wrong = try await failure {
                try await pool.copyIn(into: "film", format: .csv) { try await $0.write(1, "x") }
            }
            #expect(wrong.code == .unexpectedResult)
            // Larger than any buffer on the way.
            let greenlet = Greenlet.spawn { () throws in
                let line = Array((String(repeating: "x", count: 999_999) + "\n").utf8)
                return try pool.copyIn(into: "film", columns: ["title"]) { rows in
                    for _ in 0..<20 { try rows.write(bytes: line) }
                }
            }
            #expect(try await greenlet.get() == 20)
            #expect(try await pool.one(Int.self, "SELECT max(length(title)) FROM film") == 999_999)
        }
    }

    @Test func anErrorOfTheSourceUndoesAllAndKeepsTheConnection() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, watcher) async throws in
            try await pool.execute(Self.table)
            for rows in [0, 1, 50_000] {
                await #expect(throws: NoFailure.self) {
                    try await pool.copyIn(into: "film", columns: ["id"]) { writer in
                        for number in 0..<rows { try await writer.write(number) }
                        throw NoFailure()
                    }
                }
                let greenlet = Greenlet.spawn { () throws in
                    #expect(throws: NoFailure.self) {
                        try pool.copyIn(into: "film", columns: ["id"]) { writer in
                            for number in 0..<rows { try writer.write(number) }
                            throw NoFailure()
                        }
                    }
                    return try pool.one(Int.self, "SELECT count(*) FROM film")
                }
                #expect(try await greenlet.get() == 0)
            }
            #expect(pool.statistics.connectsSucceeded == 1 && pool.statistics.connectionsLost == 0)
            #expect(try await watcher.seesAtRest(pool))
        }
    }

    @Test func aRefusedRowEndsTheCopyBeforeItsSource() async throws {
        try await Database().withConnection { (connection) async throws in
            try await Self.copyWithoutEnd(connection)
        }
    }

    @Test(arguments: ["TLSv1.2", "TLSv1.3"])
    func aRefusedRowEndsTheCopyBeforeItsSourceUnderTLSToo(_ version: String) async throws {
        try await TLSConnectTests().withServer(names: "DNS:db.example") { (configuration, _) async throws in
            var configuration = configuration
            configuration["sslmode"] = "require"
            configuration["ssl_max_protocol_version"] = version
            let connection = try await PostgresConnection.connect(configuration)
            #expect(connection.tls?.version == version)
            try await Self.copyWithoutEnd(connection, temporary: "TEMPORARY")
            await connection.close()
        }
    }

    @ReactorActor
    private static func copyWithoutEnd(_ connection: PostgresConnection, temporary: String = "") async throws
    {
        try await connection.script("CREATE \(temporary) TABLE t (n int CHECK (n < 100))")
        var sent = 0
        let error = try await failure {
            try await connection.copyIn(into: "t") { rows in
                // Without end, if nobody stopped it.
                while true {
                    try await rows.write(Int32(sent % 1000))
                    sent += 1
                }
            }
        }
        #expect(error.sqlState?.rawValue == "23514" && error.server?.context?.contains("line 101") == true)
        #expect(try await connection.one(Int.self, "SELECT count(*) FROM t") == 0)
    }

    @Test(arguments: [PostgresCopyFormat.text, .binary])
    func elementsOfArraysAndBitsGoIntoColumnsOfTheirKind(_ format: PostgresCopyFormat) async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script(
                "CREATE TABLE t (a int4[], b int2[], c int8[], d int4[], e bit(4), f bit(3)[], g jsonb[], h oid[])"
            )
            let bits = try #require(BitString("1010"))
            let count = try await connection.copyIn(into: "t", format: format) { rows in
                try await rows.write(
                    [1, -2], [3] as [Int?], [4, -5] as [Int16], [[6, 7], [8, 9]] as [[Int]], bits,
                    [try #require(BitString("011"))], [JSON("{\"k\": [1]}")], [10] as [Int64])
                try await rows.write(
                    [Int](), [nil, 3] as [Int?], [Int16](), [[Int]](), nil as BitString?, [BitString](),
                    [JSON](), nil as [Int64]?)
            }
            #expect(count == 2)
            let texts = try await connection.query("SELECT t::text FROM t").map {
                try $0.decode(String.self, at: 0)
            }
            #expect(
                texts == [
                    #"("{1,-2}",{3},"{4,-5}","{{6,7},{8,9}}",1010,{011},"{""{\\""k\\"": [1]}""}",{10})"#,
                    #"({},"{NULL,3}",{},{},,{},{},)"#,
                ], "\(texts)")
        }
    }

    @Test func elementsThatDoNotFitAreRefusedByName() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script("CREATE TABLE t (small int2[], bits bit(4))")
            try await connection.copyIn(into: "t", format: .binary) { rows in
                let large = await #expect(throws: PostgresValueError.self) {
                    try await rows.write([1, 70_000], BitString("1010"))
                }
                #expect(large?.code == .outOfRange && large?.column == "small" && large?.row == 0)
                let other = await #expect(throws: PostgresValueError.self) {
                    try await rows.write([1.5], BitString("1010"))
                }
                #expect(other?.code == .typeMismatch && other?.column == "small")
            }
            let short = try await failure {
                try await connection.copyIn(into: "t", format: .binary) { rows in
                    try await rows.write([1], BitString("101"))
                }
            }
            #expect(short.sqlState == .stringDataLengthMismatch)
            #expect(try await connection.one(Int.self, "SELECT count(*) FROM t") == 0)
        }
    }

    @Test func mistakesAreExplained() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.script("CREATE TABLE t (n int, m numeric)")
            let missing = try await failure { try await connection.copyIn(into: "nope") { _ in } }
            #expect(missing.sqlState == .undefinedTable)
            let binary = try await failure {
                try await connection.copyIn(into: "nope", format: .binary) { _ in }
            }
            #expect(binary.sqlState == .undefinedTable)
            await #expect(throws: PostgresValueError.self) {
                try await connection.copyIn(into: "t", format: .binary) { try await $0.write(1, 2.5) }
            }
            await #expect(throws: PostgresValueError.self) {
                try await connection.copyIn(into: "t \(1)") { _ in }
            }
            let plain = try await failure { try await connection.execute("COPY t FROM STDIN") }
            #expect(plain.message.contains("copyIn"))
            var escaped: PostgresCopyWriter?
            try await connection.copyIn(into: "t") { escaped = $0 }
            let late = try await failure { try await escaped?.write(1, 2) }
            #expect(late.code == .connectionClosed)
            #expect(try await connection.copyIn(into: "t") { try await $0.write(1, 2.5) } == 1)
        }
    }

    @Test func inATransactionItBelongsToTheTransaction() async throws {
        try await Database().withPool(.init(maximum: 1)) { (pool, _) async throws in
            try await pool.execute(Self.table)
            try await pool.transaction { tx in
                try await tx.copyIn(into: "film", columns: ["id"], rows: [1, 2, 3])
                _ = try? await tx.transaction { inner in
                    try await inner.copyIn(into: "film", columns: ["id"]) { rows in
                        try await rows.write(4)
                        throw NoFailure()
                    }
                }
            }
            #expect(try await pool.one(Int.self, "SELECT count(*) FROM film") == 3)
            let busy = try await failure {
                try await pool.withConnection { connection in
                    _ = try await connection.copyIn(into: "film", columns: ["id"]) { _ in
                        try await connection.execute("SELECT 1")
                    }
                }
            }
            #expect(busy.code == .connectionBusy)
        }
    }
}
