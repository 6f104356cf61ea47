import Testing

@testable import Migrations

@Suite struct MigrationFileParserTests {
    private func parse(_ bytes: [UInt8]) throws -> MigrationFile {
        let name = try MigrationFileName(parsing: "20261121000000_x.sql")
        return try MigrationFileParser(path: "M/\(name)").parse(bytes, fileName: name)
    }

    private func parse(_ text: String) throws -> MigrationFile { try parse(Array(text.utf8)) }

    @Test func readsBothSections() throws {
        let file = try parse(
            "-- about\n\n-- migrate:up\ncreate table t ();\nselect 1;\n-- migrate:down\ndrop table t;\n")
        #expect(file.up.statements.map(\.text) == ["create table t ()", "select 1"])
        #expect(file.up.statements.map(\.start.line) == [4, 5])
        #expect(file.down?.statements.map(\.text) == ["drop table t"])
        #expect(file.up.usesTransaction && file.down?.usesTransaction == true)
    }

    @Test func downMayComeFirstAndMayBeMissing() throws {
        let file = try parse("-- migrate:down\ndrop table t;\n-- migrate:up\nselect 1;")
        #expect(file.down?.statements.map(\.text) == ["drop table t"])
        #expect(try parse("--migrate:up\nselect 1").down == nil)
        #expect(try parse("--  migrate:up\nselect 1\n-- migrate:down\n-- nothing to do").down == nil)
    }

    @Test func transactionFalseBelongsToItsSection() throws {
        let file = try parse(
            "-- migrate:up transaction:false\ncreate index concurrently i on t (a);\n-- migrate:down\nselect 1;"
        )
        #expect(!file.up.usesTransaction)
        #expect(file.down?.usesTransaction == true)
    }

    @Test func lineEndsAndMarkChangeNeitherSQLNorPlaces() throws {
        let text = "-- migrate:up\nselect 'a\nb';\n\nselect 2;\n-- migrate:down\nselect 3;\n"
        let unix = try parse(text)
        let windows = try parse([0xEF, 0xBB, 0xBF] + Array(text.replacing("\n", with: "\r\n").utf8))
        #expect(windows == unix)
        #expect(windows.checksum == unix.checksum)
        #expect(windows.up.statements[1].start == SourcePosition(line: 5, column: 1))
    }

    @Test func checksumIgnoresCommentsAndSpacingButNotSQL() throws {
        let one = try parse("-- licence A\n-- migrate:up\ncreate table t (a int);")
        let two = try parse(
            "-- migrate:up\n/* B */ create table t\n    (a int)\n;\n-- migrate:down\ndrop table t;")
        #expect(one.checksum == two.checksum)
        #expect(try parse("-- migrate:up\ncreate table t (b int);").checksum != one.checksum)
        #expect(
            one.checksum.description == "1:afaa654abbefaeb6571dc382a4dfd91e4252504f08c3fd3f67378597040a45a0")
    }

    @Test(arguments: [
        ("", "1: the file is empty"),
        (" \r\n\t", "1: the file is empty"),
        ("-- nothing\n", "1: no \"-- migrate:up\" section"),
        ("-- migrate:down\nselect 1;", "1: no \"-- migrate:up\" section"),
        ("\n-- migrate:up\n-- migrate:down\nselect 1;", "2: no statement in the \"-- migrate:up\" section"),
        ("create table t ();\n-- migrate:up\nselect 1;", "1:1: SQL before \"-- migrate:up\""),
        ("select 1;", "1: no \"-- migrate:up\" section"),
        (
            "-- migrate:up\nselect 1;\n-- migrate:up\nselect 2;",
            "3: a second \"-- migrate:up\" section; the first is on line 1"
        ),
        (
            "-- migrate:sideways\n",
            "1: unknown directive \"-- migrate:sideways\"; there are \"up\" and \"down\""
        ),
        ("-- migrate:\n", "1: unknown directive \"-- migrate:\"; there are \"up\" and \"down\""),
        (
            "\n-- migrate:up transaction=false\n",
            "2: unknown option \"transaction=false\" of \"-- migrate:up\"; there is \"transaction:false\""
        ),
        ("-- migrate:up\nselect 'x;\n", "2:8: unterminated quoted string"),
        (
            "-- migrate:up\n create index concurrently i on t (a);",
            "2:2: CREATE INDEX CONCURRENTLY cannot run in a transaction; write \"-- migrate:up transaction:false\""
        ),
        ("-- migrate:up\nselect 1;\nselect '\0';", "3: a NUL byte; is this a text file?"),
    ]) func saysLineAndReason(_ text: String, _ expected: String) {
        let error = #expect(throws: MigrationError.self) { try parse(text) }
        #expect(error?.code == .invalidFile)
        #expect(error?.message == "M/20261121000000_x.sql:\(expected)")
    }

    @Test func refusesTransactionControl() {
        for options in ["", " transaction:false"] {
            let error = #expect(throws: MigrationError.self) {
                try parse("-- migrate:up\(options)\nselect 1; commit;")
            }
            #expect(error?.message.hasPrefix("M/20261121000000_x.sql:2:11: COMMIT ") == true)
        }
    }

    @Test func refusesWhatIsNotUTF8() {
        let error = #expect(throws: MigrationError.self) {
            try parse(Array("-- migrate:up\nselect 'é';\nselect '".utf8) + [0xE9] + Array("';".utf8))
        }
        #expect(error?.message == "M/20261121000000_x.sql:3: not UTF-8")
    }
}
