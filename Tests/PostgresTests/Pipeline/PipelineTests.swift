import Greenlets
import PostgresValues
import ReactorCore
import Testing

@testable import Postgres

@Suite struct PipelineTests {
    // MARK: Values

    @Test func valuesOfSeveralStatementsComeTogether() async throws {
        try await Database().withConnection { (connection) async throws in
            let (number, rows, word) = try await connection.pipeline {
                (
                    $0.one(Int.self, "SELECT \(41) + 1"), $0.query("SELECT generate_series(1, 3)"),
                    $0.one(String.self, "SELECT 'x'")
                )
            }
            #expect(number == 42 && rows.count == 3 && word == "x")
            let alone = try await connection.pipeline { $0.one(Int.self, "SELECT 5") }
            #expect(alone == 5)
            try await connection.pipeline { $0.execute("CREATE TABLE t (n int)") }
            #expect(try await connection.one(Int.self, "SELECT count(*) FROM t") == 0)
        }
    }

    @Test func poolsAndTransactionsHaveItInBothForms() async throws {
        try await Database().withPool { (pool, _) async throws in
            try await pool.execute("CREATE TABLE t (n int)")
            let (first, count) = try await pool.transaction { tx in
                try await tx.pipeline {
                    ($0.execute("INSERT INTO t VALUES (1), (2)"), $0.one(Int.self, "SELECT count(*) FROM t"))
                }
            }
            #expect(first == 2 && count == 2)
            let greenlet = Greenlet.spawn { () throws -> Int in
                let (one, two) = try pool.pipeline {
                    ($0.one(Int.self, "SELECT sum(n) FROM t"), $0.one(Int.self, "SELECT 4"))
                }
                let three = try pool.withPipeline { pipeline in
                    let value = pipeline.one(Int.self, "SELECT 5")
                    try pipeline.flush()
                    return try value.value
                }
                return one + two + three
            }
            #expect(try await greenlet.get() == 12)
        }
    }

    /// Prepared at their second use inside the pipeline, and in binary in the next.
    @Test(arguments: [10, 20]) func manyStatementsGiveTheSameValuesAgainAndAgain(_ count: Int) async throws {
        try await Database().withConnection { (connection) async throws in
            for round in 0..<4 {
                let values = try await connection.withPipeline { pipeline in
                    let statements = (0..<count).map {
                        pipeline.one(Int.self, "SELECT \(Int32($0)) * 2 + \(Int32(round))")
                    }
                    try await pipeline.flush()
                    return try statements.map { try $0.value }
                }
                #expect(values == (0..<count).map { $0 * 2 + round })
            }
            let prepared: Int = try await connection.one(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%* 2 +%'")
            #expect(prepared == 1)
        }
    }

    @Test func aPipelineTakesOneRoundTrip() async throws {
        try await Database().withConnection { (connection) async throws in
            let before = connection.session.segments
            try await connection.withPipeline { pipeline in
                for number in 0..<20 { pipeline.execute("SELECT \(number)") }
            }
            #expect(connection.session.segments == before + 1)
        }
    }

    // MARK: Errors

    @Test(arguments: 0..<10) func anErrorBelongsToItsStatementAndTheRestNamesIt(_ position: Int) async throws
    {
        try await Database().withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE t (n int)")
            for _ in 0..<3 {
                try await connection.withPipeline { pipeline in
                    let statements = (0..<10).map { number in
                        number == position
                            ? pipeline.execute("SELECT 1 / \(Int32(0))")
                            : pipeline.execute("INSERT INTO t VALUES (\(Int32(number)))")
                    }
                    pipeline.sync()
                    let next = pipeline.one(Int.self, "SELECT count(*) FROM t")
                    try await pipeline.flush()
                    for (number, statement) in statements.enumerated() {
                        let error = try await failure { _ = try statement.value }
                        if number == position {
                            #expect(error.sqlState?.rawValue == "22012")
                        } else {
                            #expect(error.code == .pipelineAborted && error.message.contains("22012"))
                        }
                    }
                    #expect(try next.value == 0, "a segment takes effect as a whole or not at all")
                }
            }
            #expect(connection.transactionStatus == .idle)
        }
    }

    @Test func theFormThatReturnsValuesThrowsTheFirstError() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure {
                _ = try await connection.pipeline { pipeline in
                    pipeline.execute("SELECT 1 / 0")
                    return pipeline.one(Int.self, "SELECT 1")
                }
            }
            #expect(error.sqlState?.rawValue == "22012")
        }
    }

    @Test func anErrorThatNobodyReadsIsThrownAtTheEnd() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure {
                try await connection.withPipeline { pipeline in
                    pipeline.execute("nonsense")
                    pipeline.sync()
                    pipeline.execute("SELECT 1")
                }
            }
            #expect(error.sqlState == .syntaxError)
            try await connection.withPipeline { pipeline in
                let statement = pipeline.execute("nonsense")
                try await pipeline.flush()
                _ = try? statement.value
            }
        }
    }

    /// The error comes with the sync, when the statement has had its success.
    @Test func aDeferredConstraintFailsItsStatementAndNotTheNext() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            try await connection.withPipeline { pipeline in
                let first = pipeline.execute("INSERT INTO t VALUES (1), (1)")
                pipeline.sync()
                let second = pipeline.execute("INSERT INTO t VALUES (2)")
                try await pipeline.flush()
                let error = try await failure { _ = try first.value }
                #expect(error.sqlState == .uniqueViolation)
                #expect(try second.value == 1)
            }
        }
    }

    @Test func aValueThatIsReadTooEarlyOrTooLateSaysSo() async throws {
        try await Database().withConnection { (connection) async throws in
            let pipeline = try await connection.withPipeline { pipeline in
                let statement = pipeline.one(Int.self, "SELECT 1")
                let error = try await failure { _ = try statement.value }
                #expect(error.code == .pipelinePending && !statement.isAnswered)
                return pipeline
            }
            let error = try await failure { try await pipeline.flush() }
            #expect(error.code == .transactionFinished)
        }
    }

    @Test(arguments: ["COPY pg_class TO STDOUT", "/* hidden */ copy t FROM STDIN"])
    func copyIsRefusedAndOtherSegmentsRun(_ text: String) async throws {
        try await Database().withConnection { (connection) async throws in
            for _ in 0..<2 {
                try await connection.withPipeline { pipeline in
                    let copy = pipeline.execute(SQL(raw: text))
                    pipeline.sync()
                    let other = pipeline.one(Int.self, "SELECT 1")
                    try await pipeline.flush()
                    let error = try await failure { _ = try copy.value }
                    #expect(error.code == .unexpectedResult && error.message.contains("COPY"))
                    #expect(try other.value == 1)
                }
            }
            #expect(connection.isUsable)
        }
    }

    @Test func severalStatementsInOneTextAreRefusedByTheServer() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure {
                try await connection.pipeline { $0.execute("SELECT 1; SELECT 2") }
            }
            #expect(error.sqlState == .syntaxError)
        }
    }

    @Test func aValueThatCannotBeBoundFailsItsSegmentOfWhichNothingIsSent() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE t (n int, x text)")
            try await connection.withPipeline { pipeline in
                let earlier = pipeline.execute("INSERT INTO t VALUES (1)")
                pipeline.sync()
                let debit = pipeline.execute("INSERT INTO t VALUES (2)")
                let bad = pipeline.execute("INSERT INTO t VALUES (2, \("a\0b"))")
                let credit = pipeline.execute("INSERT INTO t VALUES (2)")
                pipeline.sync()
                let later = pipeline.execute("INSERT INTO t VALUES (3)")
                try await pipeline.flush()
                #expect(throws: PostgresValueError.self) { try bad.value }
                for other in [debit, credit] {
                    let error = try await failure { _ = try other.value }
                    #expect(error.code == .pipelineAborted && error.underlying is PostgresValueError)
                }
                #expect(try earlier.value == 1 && later.value == 1)
            }
            await #expect(throws: PostgresValueError.self) {
                _ = try await connection.pipeline {
                    $0.execute("INSERT INTO t VALUES (4)")
                    return $0.execute("INSERT INTO t VALUES (4, \("a\0b"))")
                }
            }
            #expect(try await connection.one(Int.self, "SELECT sum(n) FROM t") == 4)
        }
    }

    @Test func anErrorInATransactionFailsTheTransaction() async throws {
        try await Database().withConnection { (connection) async throws in
            let error = try await failure {
                try await connection.transaction { tx in
                    try await tx.withPipeline { pipeline in
                        let first = pipeline.execute("SELECT 1 / 0")
                        pipeline.sync()
                        let second = pipeline.execute("SELECT 1")
                        try await pipeline.flush()
                        _ = try? first.value
                        let error = try await failure { _ = try second.value }
                        #expect(error.sqlState == .inFailedSQLTransaction)
                    }
                }
            }
            #expect(error.code == .transactionRolledBack)
        }
    }

    // MARK: Size

    /// Both directions carry far more than the sockets' buffers hold.
    @Test func largeValuesAndLargeResultsDoNotBlockEachOther() async throws {
        try await Database().withConnection { (connection) async throws in
            let large = String(repeating: "x", count: 300_000)
            for _ in 0..<2 {
                let lengths = try await connection.withPipeline { pipeline in
                    let statements = (0..<16).map { number in
                        pipeline.one(String.self, "SELECT \(large) || \("\(number)")")
                    }
                    try await pipeline.flush(timeout: .seconds(60))
                    return try statements.map { try $0.value.utf8.count }
                }
                #expect(lengths == (0..<16).map { 300_000 + "\($0)".count })
            }
        }
    }

    @Test func tenThousandStatementsInSegmentsOfTheirOwn() async throws {
        try await Database().withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE t (n int PRIMARY KEY)")
            try await connection.withPipeline { pipeline in
                for number in 0..<10_000 {
                    pipeline.execute("INSERT INTO t VALUES (\(Int32(number)))")
                    pipeline.sync()
                }
                try await pipeline.flush(timeout: .seconds(60))
            }
            #expect(try await connection.one(Int.self, "SELECT count(*) FROM t") == 10_000)
        }
    }
}
