import Testing

@testable import Migrations

@Suite struct MigrationFileNameTests {
    @Test func takesVersionAndNameApart() throws {
        let name = try MigrationFileName(parsing: "20261121000000_create_clients-2.sql")
        #expect(name.version.number == 20_261_121_000_000)
        #expect(name.name == "create_clients-2")
        #expect(name.description == "20261121000000_create_clients-2.sql")
    }

    @Test(arguments: [
        ("20261121000000_x.txt", "no .sql"), ("20261121000000.sql", "no underscore"),
        ("2026_x.sql", "\"2026\" is not fourteen digits"), ("20261321000000_x.sql", "no UTC time"),
        ("20261121000000_.sql", "no name"), ("20261121000000_a b.sql", "\"a b\" has characters"),
        ("create.sql", "no underscore"),
    ]) func saysWhatIsWrong(_ fileName: String, _ reason: String) {
        let error = #expect(throws: MigrationError.self) { try MigrationFileName(parsing: fileName) }
        #expect(error?.code == .invalidFile)
        #expect(error?.message.hasPrefix("\(fileName): ") == true)
        #expect(error?.message.contains(reason) == true)
    }

    @Test(arguments: [
        ("create films", "create_films"), ("  Add Index (films) ", "add_index_films"), ("a__b", "a_b"),
        ("größe-x", "gr_e-x"),
    ]) func makesANameOfATitle(_ title: String, _ name: String) throws {
        #expect(
            try MigrationFileName(version: MigrationVersion(secondsSince1970: 0), title: title).name == name)
    }

    @Test func refusesATitleWithoutLetters() {
        let error = #expect(throws: MigrationError.self) {
            try MigrationFileName(version: MigrationVersion(secondsSince1970: 0), title: " _ ")
        }
        #expect(error?.code == .usage)
    }
}
