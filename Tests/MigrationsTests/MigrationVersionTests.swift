import Testing

@testable import Migrations

@Suite struct MigrationVersionTests {
    @Test(arguments: [
        (Int64(0), "19700101000000"), (951_782_399, "20000228235959"), (951_782_400, "20000229000000"),
        (1_795_219_200, "20261121000000"), (4_107_542_399, "21000228235959"),
        (4_107_542_400, "21000301000000"),
    ]) func countsTheCalendar(_ seconds: Int64, _ digits: String) {
        let version = MigrationVersion(secondsSince1970: seconds)
        #expect(version.description == digits)
        #expect(version.secondsSince1970 == seconds)
        #expect(MigrationVersion(digits) == version)
    }

    @Test(arguments: [
        "20261321000000", "20260230000000", "20260001000000", "20260100000000", "20260101240000",
        "20260101006000",
        "20260101000060", "2026010100000", "2026010100000a", "+2026010100000", "", "00000101000000",
    ]) func refusesWhatIsNoTime(_ digits: String) {
        #expect(MigrationVersion(digits) == nil)
    }

    @Test func nextCrossesTheYear() {
        #expect(MigrationVersion("20261231235959")?.next.description == "20270101000000")
    }
}
