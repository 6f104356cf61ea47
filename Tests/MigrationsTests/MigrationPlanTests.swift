import Testing

@testable import Migrations

@Suite struct MigrationPlanTests {
    private func status(_ files: [MigrationFile], _ applied: [AppliedMigration] = []) -> MigrationStatus {
        MigrationStatus(files: files, applied: applied)
    }

    private func names(_ plan: MigrationPlan) -> [String] {
        plan.steps.map { "\($0.direction) \($0.file.name)" }
    }

    private func version(_ number: Int) throws -> MigrationVersion { try file(number).version }

    @Test func upRunsWhatIsPendingOldestFirst() throws {
        let files = try [file(3), file(1), file(2)]
        #expect(names(try .up(status(files))) == ["up m1", "up m2", "up m3"])
        #expect(names(try .up(status(files, [row(files[1])]))) == ["up m2", "up m3"])
        #expect(try MigrationPlan.up(status(files, files.map { row($0) })).steps.isEmpty)
        #expect(try MigrationPlan.up(status([])).steps.isEmpty)
    }

    @Test func upStopsAtTheTarget() throws {
        let files = try [file(1), file(2), file(3)]
        #expect(names(try .up(status(files), to: version(2))) == ["up m1", "up m2"])
        let error = try #require(throws: MigrationError.self) {
            try MigrationPlan.up(status(files), to: version(9))
        }
        #expect(error.code == .usage)
    }

    @Test func outOfOrderIsAWarningOrWhenStrictAnError() throws {
        let files = try [file(1), file(2), file(3)]
        let late = status(files, [row(files[1])])
        let plan = try MigrationPlan.up(late)
        #expect(names(plan) == ["up m1", "up m3"])
        #expect(
            plan.warnings == ["out of order: 20260101000001_m1 is older than the newest applied migration"])
        let error = #expect(throws: MigrationError.self) { try MigrationPlan.up(late, isStrict: true) }
        #expect(error?.code == .outOfOrder)
    }

    @Test func driftStopsUpAndNamesEachFile() throws {
        let original = try [file(1), file(2)]
        let error = #expect(throws: MigrationError.self) {
            try MigrationPlan.up(
                status([file(1, up: "select 2"), file(2, up: "select 2"), file(3)], original.map { row($0) }))
        }
        #expect(error?.code == .drift)
        #expect(error?.message.contains("M/20260101000001_m1.sql: changed since it was applied") == true)
        #expect(error?.message.contains("M/20260101000002_m2.sql: changed") == true)
    }

    @Test func aMissingFileIsAWarningUpwardsAndAnErrorDownwards() throws {
        let ahead = status([try file(1)], [row(try file(1)), row(try file(2))])
        let plan = try MigrationPlan.up(ahead)
        #expect(plan.steps.isEmpty)
        #expect(plan.warnings.first?.contains("20260101000002_m2 is without a file here") == true)
        #expect(#expect(throws: MigrationError.self) { try MigrationPlan.down(ahead) }?.code == .missingFile)
    }

    @Test func upResumesAPartlyAppliedFile() throws {
        let partly = try file(1, up: "select 1; select 2; select 3")
        let plan = try MigrationPlan.up(status([partly], [row(partly, done: 2)]))
        #expect(plan.steps.map(\.statementsDone) == [2])
        #expect(
            #expect(throws: MigrationError.self) {
                try MigrationPlan.down(status([partly], [row(partly, done: 2)]))
            }?.code == .partlyApplied)
    }

    @Test func downRevertsTheNewestFirst() throws {
        let files = try (1...3).map { try file($0, down: "select 0") }
        let all = status(files, files.map { row($0) })
        #expect(names(try .down(all)) == ["down m3"])
        #expect(names(try .down(all, count: 2)) == ["down m3", "down m2"])
        #expect(names(try .down(all, count: 9)) == ["down m3", "down m2", "down m1"])
        #expect(try MigrationPlan.down(all, count: 0).steps.isEmpty)
        #expect(names(try .down(all, to: version(1))) == ["down m3", "down m2"])
        #expect(names(try .down(all, to: nil)) == ["down m3", "down m2", "down m1"])
        #expect(
            #expect(throws: MigrationError.self) { try MigrationPlan.down(all, to: version(9)) }?.code
                == .usage)
    }

    @Test func downNeedsADownSectionButForgivesDrift() throws {
        let oneWay = try file(1)
        #expect(
            #expect(throws: MigrationError.self) {
                try MigrationPlan.down(status([oneWay], [row(oneWay)]))
            }?.code == .irreversible)
        let edited = try file(1, up: "select 2", down: "select 0")
        let plan = try MigrationPlan.down(status([edited], [row(try file(1))]))
        #expect(names(plan) == ["down m1"])
        #expect(plan.warnings == ["M/20260101000001_m1.sql has changed since it was applied"])
    }
}
