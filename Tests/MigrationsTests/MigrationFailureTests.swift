import Testing

@testable import Migrations

@Suite struct MigrationFailureTests {
    private func failure(
        direction: MigrationPlan.Direction = .up, line: String = "select nope", column: Int = 8,
        isPartlyApplied: Bool = false
    ) -> MigrationFailure {
        MigrationFailure(
            path: "Migrations/20261121000000_x.sql", direction: direction,
            position: SourcePosition(line: 14, column: column), line: line, statementNumber: 2,
            statementCount: 3,
            sqlState: "42703", message: "column \"nope\" does not exist", detail: "secret",
            hint: "Perhaps you meant \"hope\".", context: nil,
            isPartlyApplied: isPartlyApplied)
    }

    @Test func showsPlaceLineCaretStateHintAndOutcome() {
        #expect(
            failure().report() == """
                Migrations/20261121000000_x.sql:14:8: column "nope" does not exist (SQLSTATE 42703)
                    select nope
                           ^
                hint: Perhaps you meant "hope".
                rolled back: nothing of this file has been applied; mend it and run "migrate up" again
                """)
    }

    @Test func detailIsShownOnRequestOnly() {
        #expect(!failure().report().contains("secret"))
        #expect(failure().report(includingDetail: true).contains("detail: secret"))
    }

    @Test func theCaretFollowsTabsAndWideCharacters() {
        let lines = failure(line: "\té\tnope", column: 4).report().split(separator: "\n")
        #expect(lines[1] == "    \té\tnope")
        #expect(lines[2] == "    \t \t^")
    }

    @Test func saysHowFarAPartlyAppliedFileCame() {
        #expect(failure(isPartlyApplied: true).report().contains("1 of 3 statements are committed"))
        #expect(failure(direction: .down).report().contains("nothing of this file has been reverted"))
    }
}
