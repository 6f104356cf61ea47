import Glibc
import Testing

@testable import Migrations

@Suite struct MigrationDirectoryTests {
    @Test func listsMigrationsByVersionAndIgnoresOtherFiles() throws {
        let directory = try TemporaryDirectory()
        try directory.write("20260102000000_b.sql", "-- migrate:up\nselect 2;")
        try directory.write("20260101000000_a.sql", "-- migrate:up\nselect 1;")
        try directory.write("README.md", "text")
        try directory.write(".20260103000000_c.sql", "an editor's file")
        let files = try MigrationDirectory(directory.path + "/").migrations()
        #expect(files.map(\.name) == ["a", "b"])
        #expect(files.first?.path == "\(directory.path)/20260101000000_a.sql")
    }

    @Test func reportsEveryProblemOfEveryFileAtOnce() throws {
        let directory = try TemporaryDirectory()
        try directory.write("20260101000000_a.sql", "-- migrate:up\nselect 1;")
        try directory.write("20260101000000_b.sql", "-- migrate:up\nselect 1;")
        try directory.write("20260102000000_c.sql", "")
        try directory.write("nonsense.sql", "")
        let error = #expect(throws: MigrationError.self) {
            try MigrationDirectory(directory.path).migrations()
        }
        #expect(error?.code == .invalidFile)
        #expect(
            error?.message.replacing("\(directory.path)/", with: "") == """
                20260102000000_c.sql:1: the file is empty
                nonsense.sql: no underscore after the version; migration files are named \
                YYYYMMDDHHMMSS_name.sql (UTC)
                20260101000000_b.sql: the version 20260101000000 is taken by 20260101000000_a.sql
                """)
    }

    @Test func aMissingDirectoryIsAUsageError() {
        let error = #expect(throws: MigrationError.self) {
            try MigrationDirectory("/nowhere/at/all").migrations()
        }
        #expect(error?.code == .usage)
        #expect(error?.message == "there is no directory /nowhere/at/all")
    }

    @Test func createMakesTheDirectoryAndANewestVersion() throws {
        let directory = try TemporaryDirectory()
        let migrations = MigrationDirectory(directory.path + "/Migrations")
        let first = try migrations.create(title: "Create films", secondsSince1970: 1_795_219_200)
        let second = try migrations.create(title: "add index", secondsSince1970: 1_795_219_200)
        #expect(first == "\(directory.path)/Migrations/20261121000000_create_films.sql")
        #expect(second == "\(directory.path)/Migrations/20261121000001_add_index.sql")
        // Fresh files hold no statement yet, and saying so is better than recording an empty migration.
        let error = #expect(throws: MigrationError.self) { try migrations.migrations() }
        #expect(error?.message.contains("no statement in the \"-- migrate:up\" section") == true)
    }

    @Test func findsTheNearestDirectoryUpToThePackageRoot() throws {
        let root = try TemporaryDirectory()
        try #require(mkdir("\(root.path)/package", 0o755) == 0)
        try #require(mkdir("\(root.path)/package/deep", 0o755) == 0)
        try #require(mkdir("\(root.path)/Migrations", 0o755) == 0)
        #expect(MigrationDirectory.find(from: "\(root.path)/package/deep")?.path == "\(root.path)/Migrations")
        try root.write("package/Package.swift", "")
        #expect(MigrationDirectory.find(from: "\(root.path)/package/deep") == nil)
        try #require(mkdir("\(root.path)/package/Migrations", 0o755) == 0)
        #expect(
            MigrationDirectory.find(from: "\(root.path)/package/deep")?.path
                == "\(root.path)/package/Migrations")
        #expect(
            MigrationDirectory.find(from: "\(root.path)/package")?.path == "\(root.path)/package/Migrations")
    }
}
