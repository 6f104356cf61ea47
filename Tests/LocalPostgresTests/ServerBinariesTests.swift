import Glibc
import Testing

@testable import LocalPostgres

extension LocalPostgresTests {
    @Suite struct ServerBinariesTests {
        @Test func theServerOfThisSystemIsFound() throws {
            let binaries = try ServerBinaries.find()
            #expect(access(binaries.path("postgres"), X_OK) == 0)
            #expect(Int(binaries.majorVersion).map { $0 >= 9 } == true)
        }

        @Test func withoutPgConfigTheInstallationsAreSearched() throws {
            let binaries = try ServerBinaries.find(searchPath: "/nonexistent")
            #expect(binaries.directory.hasPrefix("/usr/lib/postgresql/"))
        }

        @Test func noServerIsAnErrorThatSaysWhatToInstall() throws {
            let error = #expect(throws: LocalPostgresError.self) {
                try ServerBinaries.find(searchPath: "/nonexistent", installations: "/nonexistent")
            }
            #expect(error?.code == .serverNotInstalled)
            #expect(error?.description.contains("apt-get install postgresql") == true)
        }

        /// libpq-dev brings a pg_config whose directory exists only when the server is installed, too.
        @Test func aDirectoryWithoutServerProgramsIsPassedOver() throws {
            let place = try Place()
            defer { place.remove() }
            try place.install("\(place.path)/pg_config", "echo /usr/bin")
            let binaries = try ServerBinaries.find(searchPath: place.path)
            #expect(binaries.directory.hasPrefix("/usr/lib/postgresql/"))
        }

        @Test func theNewestVersionWinsUnlessOneIsAskedFor() throws {
            let place = try Place()
            defer { place.remove() }
            for version in ["9", "15", "100"] { try place.installFakeServer(version) }
            let find = { (wanted: String?) throws in
                try ServerBinaries.find(
                    majorVersion: wanted, searchPath: "/nonexistent", installations: place.path)
            }
            #expect(try find(nil).majorVersion == "100")
            #expect(try find("15").majorVersion == "15")
            #expect(try find("14").majorVersion == "100")
        }
    }
}

extension Place {
    /// Programs that know nothing but their version.
    fileprivate func installFakeServer(_ version: String) throws {
        let directory = "\(path)/\(version)/bin"
        try FileSystem.makeDirectories(directory, mode: 0o755)
        for program in ["postgres", "initdb", "createdb", "pg_isready"] {
            try install("\(directory)/\(program)", "echo '\(program) (PostgreSQL) \(version).3 (Debian)'")
        }
    }

    /// Leaves no descriptor open for writing: a program that is being written cannot be run (ETXTBSY).
    fileprivate func install(_ program: String, _ script: String) throws {
        do {
            let file = try Descriptor.open(program, O_WRONLY | O_CREAT)
            file.write("#!/bin/sh\n\(script)\n")
            fchmod(file.number, 0o755)
        }
        // A child that another test is just starting has it, until it runs its own program. Who writes keeps leases away.
        let reader = open(program, O_RDONLY | O_CLOEXEC)
        defer { close(reader) }
        let setLease: Int32 = 1024
        while fcntl(reader, setLease, F_RDLCK) != 0, errno == EAGAIN { usleep(1000) }
        _ = fcntl(reader, setLease, F_UNLCK)
    }
}
