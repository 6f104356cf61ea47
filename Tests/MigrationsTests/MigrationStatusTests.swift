import Testing

@testable import Migrations

@Suite struct MigrationStatusTests {
    @Test func comparesFilesWithRows() throws {
        let files = try [file(1), file(2), file(3), file(4, up: "select 1; select 2"), file(5)]
        let changed = try file(3, up: "select 'changed'")
        let status = MigrationStatus(
            files: [files[4], files[0], files[1], changed, files[3]],
            applied: [row(files[0]), row(files[2]), row(files[3], done: 1), row(try file(6))])
        #expect(
            status.entries.map(\.state) == [
                .applied, .outOfOrder, .drifted, .partlyApplied, .outOfOrder, .missingFile,
            ])
        #expect(status.entries.map(\.version) == status.entries.map(\.version).sorted())
    }

    @Test func aPartlyAppliedFileMayChangeBehindTheStatementsDone() throws {
        let row = row(try file(1, up: "select 1; select nope"), done: 1)
        let mended = MigrationStatus(files: [try file(1, up: "select 1; select 2; select 3")], applied: [row])
        #expect(mended.entries.map(\.state) == [.partlyApplied])
        let edited = MigrationStatus(files: [try file(1, up: "select 0; select 2")], applied: [row])
        #expect(edited.entries.map(\.state) == [.drifted])
    }

    @Test func reportsForPeopleAndForPrograms() throws {
        let files = try [file(1), file(2, up: "select 1; select 2"), file(3)]
        let status = MigrationStatus(files: files, applied: [row(files[0]), row(files[1], done: 1)])
        #expect(
            status.report == """
                20260101000001  m1  applied         2026-11-21T09:12:00Z  31 ms
                20260101000002  m2  partly applied  1 of 2 statements
                20260101000003  m3  pending

                1 applied, 2 pending
                """)
        #expect(
            status.json == """
                [
                  {"version": "20260101000001", "name": "m1", "state": "applied", \
                "applied_at": "2026-11-21T09:12:00Z", "ms": 31, "applied_by": "a\\"b", "statements_done": 1},
                  {"version": "20260101000002", "name": "m2", "state": "partly applied", \
                "applied_at": "2026-11-21T09:12:00Z", "ms": 31, "applied_by": "a\\"b", "statements_done": 1},
                  {"version": "20260101000003", "name": "m3", "state": "pending"}
                ]
                """)
        #expect(MigrationStatus(files: [], applied: []).report == "no migrations")
        #expect(MigrationStatus(files: [], applied: []).json == "[]")
    }
}

/// A migration of version `20260101000000 + number` named `m<number>`.
func file(_ number: Int, up: String = "select 1", down: String? = nil) throws -> MigrationFile {
    let digits = String(20_260_101_000_000 + number)
    let name = try MigrationFileName(parsing: "\(digits)_m\(number).sql")
    let text = "-- migrate:up\n\(up);\n" + (down.map { "-- migrate:down\n\($0);\n" } ?? "")
    return try MigrationFileParser(path: "M/\(name)").parse(Array(text.utf8), fileName: name)
}

/// The row of `file`, complete unless `done` statements are given.
func row(_ file: MigrationFile, done: Int? = nil) -> AppliedMigration {
    AppliedMigration(
        version: file.version, name: file.name,
        checksum: done.map { file.checksum(ofFirst: $0) } ?? file.checksum, appliedAt: "2026-11-21T09:12:00Z",
        milliseconds: 31, state: done == nil ? .applied : .applying,
        statementsDone: done ?? file.up.statements.count, appliedBy: "a\"b")
}
