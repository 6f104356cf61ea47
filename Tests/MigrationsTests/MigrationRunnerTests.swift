import Greenlets
import Postgres
import PostgresValues
import ReactorCore
import Testing

@testable import Migrations

/// Migrations that run statement by statement.
@Suite struct MigrationRunnerTests {
    @Test func createIndexConcurrentlyWorks() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "t", "-- migrate:up\ncreate table t (a int);")
        try fixture.write(
            2, "i",
            """
            -- migrate:up transaction:false
            create index concurrently t_a on t (a);
            insert into t values (1);

            -- migrate:down transaction:false
            drop index concurrently t_a;
            """)
        try await fixture.run { connection async throws in
            try await fixture.migrator().up()
            #expect(try await connection.relations() == ["t", "t_a"])
            #expect(try await connection.history() == ["1 applied 1", "2 applied 2"])
            try await fixture.migrator().down()
            #expect(try await connection.relations() == ["t"])
            #expect(try await connection.history() == ["1 applied 1"])
        }
    }

    @Test func aFailureSaysHowFarItCameAndTheNextRunResumesThere() async throws {
        let fixture = try MigratorFixture()
        let head = "-- migrate:up transaction:false\ncreate table t (a int);\ninsert into t values (1);\n"
        try fixture.write(1, "x", head + "select nope;\ninsert into t values (2);\n")
        try await fixture.run { connection async throws in
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            #expect(error?.code == .partlyApplied)
            #expect(error?.failure?.position == SourcePosition(line: 4, column: 8))
            #expect(
                error?.failure?.report().contains("partly applied: 2 of 4 statements are committed") == true)
            #expect(try await connection.history() == ["1 applying 2"])
            #expect(
                try await fixture.migrator().status().report.contains("partly applied  2 of 4 statements"))

            try fixture.write(1, "x", head + "select 1;\ninsert into t values (2);\n")
            let log = EventLog()
            try await fixture.migrator().up { log.add($0) }
            #expect(log.descriptions.first?.hasSuffix("after 2 of 4 statements") == true)
            #expect(try await connection.texts("select a::text from t order by a") == ["1", "2"])
            #expect(try await connection.history() == ["1 applied 4"])
            #expect(try await fixture.migrator().status().entries.map(\.state) == [.applied])
        }
    }

    @Test func editingWhatHasBeenAppliedStopsTheResumption() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "x", "-- migrate:up transaction:false\ncreate table t ();\nselect nope;")
        try await fixture.run { _ async throws in
            _ = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            try fixture.write(1, "x", "-- migrate:up transaction:false\ncreate table u ();\nselect 1;")
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            #expect(error?.code == .drift)
            #expect(error?.message.contains("(its first 1 statements)") == true)
        }
    }

    @Test func anIndexLeftInvalidIsDroppedAndBuiltAgain() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "t", "-- migrate:up\ncreate table t (a int);\ninsert into t values (1), (1);")
        try fixture.write(
            2, "i",
            "-- migrate:up transaction:false\ncreate unique index concurrently if not exists t_a on t (a);")
        let valid: SQL = "select indisvalid::text from pg_index where indexrelid = 't_a'::regclass"
        try await fixture.run { connection async throws in
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            #expect(error?.failure?.sqlState == "23505")
            #expect(try await connection.texts(valid) == ["false"])

            _ = try await connection.query("delete from t where ctid = (select min(ctid) from t)")
            let log = EventLog()
            try await fixture.migrator().up { log.add($0) }
            #expect(log.descriptions.contains { $0.hasPrefix("dropped the invalid index public.t_a") })
            #expect(try await connection.texts(valid) == ["true"])
        }
    }

    @Test func anInvalidIndexOfSomebodyElseIsNotTakenForDone() async throws {
        let fixture = try MigratorFixture()
        try await fixture.run { connection async throws in
            try await connection.script("create table t (a int); insert into t values (1), (1)")
            _ = try? await connection.query("create unique index concurrently t_a on t (a)")
            try fixture.write(
                1, "i",
                "-- migrate:up transaction:false\ncreate index concurrently if not exists t_a on t (a);")
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            #expect(error?.code == .partlyApplied)
            #expect(error?.message.contains("drop index concurrently public.t_a") == true)
        }
    }

    @Test func anIndexThatWasFinishedButNotRecordedIsTakenForDone() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "t", "-- migrate:up\ncreate table t (a int);")
        try await fixture.run { connection async throws in
            try await fixture.migrator().up()
            try fixture.write(
                2, "i", "-- migrate:up transaction:false\ncreate index concurrently t_a on t (a);\nselect 1;")
            // As a runner leaves it that is killed between the end of the statement and the note of it.
            _ = try await connection.query("create index t_a on t (a)")
            _ = try await connection.query(
                """
                insert into public.migrate_history (version, name, checksum, state, statements_done, building)
                values (20260101000002, 'i', \(MigrationChecksum(of: []).description), 'applying', 0, 't_a')
                """)
            let log = EventLog()
            try await fixture.migrator().up { log.add($0) }
            #expect(log.descriptions.contains("the index public.t_a of an interrupted run is done already"))
            #expect(try await connection.history() == ["1 applied 1", "2 applied 2"])
        }
    }

    @Test func anIndexThatWasThereBeforeIsNotTakenForOurs() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(
            1, "i", "-- migrate:up transaction:false\ncreate index concurrently t_a on t (a);")
        try await fixture.run { connection async throws in
            try await connection.script("create table t (a int); create index t_a on t (a)")
            for _ in 1...2 {
                let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
                #expect(error?.failure?.sqlState == "42P07")
            }
        }
    }

    @Test func aFailedDownKeepsTheMigrationApplied() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(
            1, "x",
            "-- migrate:up\ncreate table t ();\n-- migrate:down transaction:false\ndrop table t;\ndrop table nope;\n"
        )
        try await fixture.run { connection async throws in
            try await fixture.migrator().up()
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().down() }
            #expect(error?.code == .partlyApplied)
            #expect(error?.failure?.report().contains("partly reverted: 1 of 2 statements") == true)
            #expect(try await connection.history() == ["1 applied 1"])
        }
    }
}
