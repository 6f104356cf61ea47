import Greenlets
import Postgres
import PostgresValues
import ReactorCore
import Testing

@testable import Migrations

@Suite struct MigratorTests {
    @Test func upAppliesOnceAndThenThereIsNothingToDo() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(
            1, "films", "-- migrate:up\ncreate table films (a int);\ninsert into films values (1);")
        try fixture.write(
            2, "actors", "-- migrate:up\ncreate table actors ();\n-- migrate:down\ndrop table actors;")
        try await fixture.run { connection async throws in
            let migrator = fixture.migrator()
            #expect(try await migrator.status().entries.map(\.state) == [.pending, .pending])
            let log = EventLog()
            let first = try await migrator.up { log.add($0) }
            #expect(first.entries.map(\.file.name) == ["films", "actors"])
            #expect(first.description.hasPrefix("2 migrations applied in "))
            #expect(log.descriptions.count == 4)
            #expect(try await connection.relations() == ["actors", "films"])
            #expect(try await connection.history() == ["1 applied 2", "2 applied 1"])
            let second = try await migrator.up()
            #expect(second.entries.isEmpty)
            #expect(second.description == "nothing to do: 2 migrations are applied")
            #expect(try await migrator.status().entries.map(\.state) == [.applied, .applied])
        }
    }

    @Test func downRevertsTheNewestAndUpAppliesItAgain() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "a", "-- migrate:up\ncreate table a ();\n-- migrate:down\ndrop table a;")
        try fixture.write(2, "b", "-- migrate:up\ncreate table b ();\n-- migrate:down\ndrop table b;")
        try await fixture.run { connection async throws in
            let migrator = fixture.migrator()
            try await migrator.up()
            #expect(try await migrator.down().description.hasPrefix("1 migration reverted in "))
            #expect(try await connection.relations() == ["a"])
            #expect(try await connection.history() == ["1 applied 1"])
            #expect(try await migrator.up().entries.map(\.file.name) == ["b"])
            #expect(try await migrator.down(to: nil).entries.map(\.file.name) == ["b", "a"])
            #expect(try await connection.relations() == [])
            #expect(try await migrator.down().description == "nothing to do: no migration is applied")
        }
    }

    @Test func aFailureRollsBackItsFileAndKeepsTheOnesBefore() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "good", "-- migrate:up\ncreate table good ();")
        try fixture.write(
            2, "bad", "-- migrate:up\ncreate table bad ();\n\n/* é */ select 'é', nope\nfrom bad;\n")
        try await fixture.run { connection async throws in
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            #expect(error?.code == .rolledBack)
            #expect(
                error?.failure?.report().replacing(fixture.directory.path, with: "M") == """
                    M/20260101000002_bad.sql:4:21: column "nope" does not exist (SQLSTATE 42703)
                        /* é */ select 'é', nope
                                            ^
                    rolled back: nothing of this file has been applied; mend it and run "migrate up" again
                    """)
            #expect(try await connection.relations() == ["good"])
            #expect(try await connection.history() == ["1 applied 1"])
        }
    }

    @Test func anErrorWithoutAPositionIsPlacedAtItsStatement() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(
            1, "x",
            "-- migrate:up\ncreate table t (a int unique);\n  insert into t values (1), (1);\nselect 1;")
        try await fixture.run { connection async throws in
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            #expect(error?.failure?.position == SourcePosition(line: 3, column: 3))
            #expect(error?.failure?.sqlState == "23505")
            // DETAIL quotes a row: it is there, but not in what a log gets.
            #expect(error?.failure?.detail?.contains("(a)=(1)") == true)
            #expect(error?.description.contains("(a)=(1)") == false)
        }
    }

    @Test func anErrorAtCommitRollsBackToo() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(
            1, "x",
            """
            -- migrate:up
            create table t (a int primary key, b int references t deferrable initially deferred);
            insert into t values (1, 2);
            """)
        try await fixture.run { connection async throws in
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            #expect(error?.code == .rolledBack)
            #expect(error?.failure?.message.hasPrefix("at COMMIT: ") == true)
            #expect(error?.failure?.sqlState == "23503")
            #expect(try await connection.relations() == [])
        }
    }

    @Test func aConnectionThatBreaksAtCommitIsLookedInto() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(
            1, "x",
            """
            -- migrate:up
            create table t (a int);
            create function break_off() returns trigger language plpgsql as $$
              begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
            create constraint trigger broken after insert on t deferrable initially deferred
              for each row execute function break_off();
            insert into t values (1);
            """)
        try await fixture.run { connection async throws in
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            #expect(error?.code == .rolledBack)
            #expect(error?.failure?.message.hasPrefix("at COMMIT: ") == true)
            #expect(try await connection.relations() == [])
            #expect(try await connection.history() == [])
        }
    }

    @Test(arguments: 1...5) func ofTwoRunnersAtOnceExactlyOneAppliesEachFile(_ round: Int) async throws {
        let fixture = try MigratorFixture()
        for number in 1...3 {
            try fixture.write(
                number, "t\(number)",
                "-- migrate:up\ncreate table t\(number) (a int);\nselect pg_sleep(0.02);\n")
        }
        try fixture.write(
            4, "i", "-- migrate:up transaction:false\ncreate index concurrently t1_a on t1 (a);")
        try await fixture.run { connection async throws in
            let runners = (1...2).map { _ in
                Greenlet<MigrationSummary>.spawn { try await fixture.migrator().up() }
            }
            var applied: [String] = []
            for runner in runners { applied += try await runner.get().entries.map(\.file.name) }
            #expect(applied.sorted() == ["i", "t1", "t2", "t3"])
            #expect(try await connection.relations() == ["t1", "t1_a", "t2", "t3"])
        }
    }

    @Test func outOfOrderIsAppliedWithAWarningOrRefusedWhenStrict() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(2, "b", "-- migrate:up\ncreate table b ();")
        try await fixture.run { connection async throws in
            try await fixture.migrator().up()
            try fixture.write(1, "a", "-- migrate:up\ncreate table a ();")
            let error = await #expect(throws: MigrationError.self) {
                try await fixture.migrator { $0.isStrict = true }.up()
            }
            #expect(error?.code == .outOfOrder)
            let log = EventLog()
            try await fixture.migrator().up { log.add($0) }
            #expect(log.descriptions.first?.hasPrefix("warning: out of order: 20260101000001_a is") == true)
            #expect(try await connection.relations() == ["a", "b"])
        }
    }

    @Test func aChangedFileIsRefusedBeforeAnythingRuns() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "a", "-- migrate:up\ncreate table a ();")
        try await fixture.run { connection async throws in
            try await fixture.migrator().up()
            try fixture.write(1, "a", "-- migrate:up\n-- a comment is no change\ncreate  table a ();\n")
            #expect(try await fixture.migrator().up().entries.isEmpty)
            try fixture.write(1, "a", "-- migrate:up\ncreate table a (b int);")
            try fixture.write(2, "b", "-- migrate:up\ncreate table b ();")
            let error = await #expect(throws: MigrationError.self) { try await fixture.migrator().up() }
            #expect(error?.code == .drift)
            #expect(try await fixture.migrator().status().entries.map(\.state) == [.drifted, .pending])
            #expect(try await connection.relations() == ["a"])
        }
    }

    @Test func aHeldLockTimesOutNamingItsHolder() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "a", "-- migrate:up\ncreate table a ();")
        try await fixture.run { connection async throws in
            _ = try await connection.query("set application_name = 'the other one'")
            _ = try await connection.query("select pg_advisory_lock(\(MigrationLock.Kind.turn.rawValue))")
            let log = EventLog()
            let error = await #expect(throws: MigrationError.self) {
                try await fixture.migrator { $0.lockTimeout = .seconds(1) }.up { log.add($0) }
            }
            #expect(error?.code == .lockTimeout)
            #expect(
                error?.message.contains("pid \(connection.processID) (the other one, user postgres, since ")
                    == true)
            #expect(
                log.descriptions.count { $0.hasPrefix("waiting for the migration lock held by pid ") } == 1)
            // With nothing to do the lock is not even asked for.
            _ = try await connection.query("select pg_advisory_unlock_all()")
            try await fixture.migrator().up()
            _ = try await connection.query("select pg_advisory_lock(\(MigrationLock.Kind.turn.rawValue))")
            #expect(try await fixture.migrator { $0.lockTimeout = .zero }.up().entries.isEmpty)
        }
    }

    @Test func aKilledRunnersLastStatementIsWaitedFor() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "a", "-- migrate:up\ncreate table a ();")
        try await fixture.run { connection async throws in
            // What is left of a killed runner: its turn is over, its statement is not.
            _ = try await connection.query(
                "select pg_advisory_lock(\(MigrationLock.Kind.work.rawValue))")
            let log = EventLog()
            let run = Greenlet<MigrationSummary>.spawn {
                try await fixture.migrator().up { event in
                    log.add(event)
                    guard case .waitingForLock = event else { return }
                    _ = Greenlet<Void>.spawn {
                        try await connection.script("select pg_advisory_unlock_all()")
                    }
                }
            }
            #expect(try await run.get().entries.count == 1)
            #expect(log.descriptions.first?.contains("held by pid \(connection.processID)") == true)
        }
    }

    @Test func settingsOfOneFileDoNotReachTheNext() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(
            1, "a",
            """
            -- migrate:up
            create role role_of_a;
            grant create, usage on schema public to role_of_a;
            set search_path = '';
            set role role_of_a;
            create table public.a ();
            """)
        try fixture.write(2, "b", "-- migrate:up\ncreate table b as select current_user::text as owner;")
        try await fixture.run { connection async throws in
            try await fixture.migrator().up()
            #expect(try await connection.texts("select owner from b") == ["postgres"])
            _ = try await connection.query("drop table a")
            _ = try await connection.query("drop owned by role_of_a")
            _ = try await connection.query("drop role role_of_a")
        }
    }

    @Test func aLockedTableIsTriedAgain() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "a", "-- migrate:up\ncreate table t ();")
        try await fixture.run { connection async throws in
            try await fixture.migrator().up()
            try fixture.write(2, "b", "-- migrate:up\ncreate table u ();\nalter table t add a int;")
            let log = EventLog()
            let migrator = fixture.migrator {
                $0.tableLockTimeout = .milliseconds(20)
                $0.attempts = 1000
            }
            try await connection.script("begin; lock table t")
            let run = Greenlet<MigrationSummary>.spawn {
                try await migrator.up { event in
                    log.add(event)
                    if case .retrying = event {
                        _ = Greenlet<Void>.spawn { try await connection.script("rollback") }
                    }
                }
            }
            #expect(try await run.get().entries.count == 1)
            #expect(log.descriptions.contains { $0.contains("rolled back, trying again (attempt 2)") })
            #expect(try await connection.relations() == ["t", "u"])
        }
    }

    @Test func aKilledRunLeavesNothingBehind() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "a", "-- migrate:up\ncreate table a ();\nselect pg_sleep(60);")
        try await fixture.run { connection async throws in
            let run = Greenlet<MigrationSummary>.spawn { try await fixture.migrator().up() }
            let sleeping: SQL =
                "select pid::text from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
            while try await connection.texts(sleeping).isEmpty {
                try await Greenlet.sleep(for: .milliseconds(5))
            }
            try await run.kill()
            #expect(try await connection.texts(sleeping) == [])
            #expect(try await connection.relations() == [])
            #expect(try await connection.history() == [])
            let locks = try await connection.texts(
                """
                select pid::text from pg_locks where locktype = 'advisory'
                  and database = (select oid from pg_database where datname = current_database())
                """)
            #expect(locks == [])
        }
    }

    @Test func anUnreachableServerIsSaidSo() async throws {
        let fixture = try MigratorFixture()
        let migrator = Migrator(
            directory: fixture.directory.path,
            configuration: fixture.configuration.withDatabase("no_such_database"))
        try await fixture.run { _ async throws in
            let error = await #expect(throws: MigrationError.self) { try await migrator.up() }
            #expect(error?.code == .cannotConnect)
            #expect(error?.message.contains("no_such_database") == true)
        }
    }

    @Test func theSynchronousFormsWorkInAGreenlet() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "a", "-- migrate:up\ncreate table a ();\n-- migrate:down\ndrop table a;")
        try await fixture.run { _ async throws in
            let counts = try await Greenlet.spawn { () throws -> [Int] in
                let migrator = fixture.migrator()
                return [
                    try migrator.status().pending.count, try migrator.up().entries.count,
                    try migrator.down().entries.count, try migrator.down(to: nil).entries.count,
                ]
            }.get()
            #expect(counts == [1, 1, 1, 0])
        }
    }

    @Test func theChecksumIsTheServersSHA256() async throws {
        let fixture = try MigratorFixture()
        try fixture.write(1, "a", "-- migrate:up\ncreate table  a (b text default 'é');\nselect 1;")
        try await fixture.run { connection async throws in
            try await fixture.migrator().up()
            let text = "create table a (b text default 'é');\nselect 1;\n"
            let expected = try await connection.texts(
                "select '1:' || encode(sha256(convert_to(\(text), 'UTF8')), 'hex')")
            #expect(try await connection.texts("select checksum from public.migrate_history") == expected)
        }
    }
}
