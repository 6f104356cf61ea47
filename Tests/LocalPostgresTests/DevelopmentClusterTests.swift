import Glibc
import Testing

@testable import LocalPostgres

extension LocalPostgresTests {
    @Suite struct DevelopmentClusterTests {
        @Test func dataSurvivesFromRunToRun() throws {
            let place = try Place()
            defer { place.remove() }
            let first = try place.start()
            _ = try first.query("create table kept as select 42 as answer", at: first.url)
            first.stop()
            #expect(first.serverProcessID == nil)

            let second = try place.start()
            defer { second.stop() }

            #expect(try second.query("select answer from kept", at: second.url) == "42")
        }

        @Test func aKilledServerIsRecoveredByTheNextStart() throws {
            let place = try Place.filled()
            defer { place.remove() }
            let killed = try place.start()
            defer { killed.stop() }
            _ = try killed.query("create table kept as select 42 as answer", at: killed.url)
            kill(try #require(killed.serverProcessID), SIGKILL)

            let next = try place.start()
            defer { next.stop() }

            #expect(try next.query("select answer from kept", at: next.url) == "42")
        }

        @Test func aProcessIdThatBelongsToAnotherProgramByNowDoesNotPreventAStart() throws {
            let place = try Place.filled()
            defer { place.remove() }
            let home = try ClusterHome.development(in: place.cluster)
            let other = try home.account.command("/bin/sleep", ["600"]).start([nil, nil, nil])
            defer {
                kill(other, SIGKILL)
                Command.wait(for: other)
            }
            try Descriptor.open(
                "\(home.dataDirectory)/postmaster.pid", O_WRONLY | O_CREAT, owner: home.account
            ).write("\(other)\n\(home.dataDirectory)\n")

            let cluster = try place.start()
            defer { cluster.stop() }

            #expect(try cluster.probe() == .accepting)
            #expect(isRunning(other))
        }

        @Test func usersShareOneServerAndTheLastStopsIt() throws {
            let place = try Place.filled()
            defer { place.remove() }
            let first = try place.start()
            let second = try place.start()
            let processID = try #require(first.serverProcessID)
            #expect(second.serverProcessID == processID)

            first.stop()
            #expect(try second.probe() == .accepting)
            second.stop()

            #expect(second.serverProcessID == nil)
            #expect(try second.probe() == .noResponse)
        }

        @Test func simultaneousStartsEndWithOneServer() async throws {
            let place = try Place.filled()
            defer { place.remove() }
            let clusters = try await withThrowingTaskGroup(of: LocalCluster.self) { group in
                for _ in 0..<4 { group.addTask { try place.start() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            defer { for cluster in clusters { cluster.stop() } }
            #expect(clusters.count == 4)
            #expect(Set(clusters.map(\.serverProcessID)).count == 1)
        }

        @Test func anInterruptedInitdbIsDoneAgain() throws {
            let place = try Place()
            defer { place.remove() }
            let home = try ClusterHome.development(in: place.cluster)
            #expect(try home.account.command("/bin/mkdir", [home.unfinishedDataDirectory]).run().status == 0)
            #expect(
                try home.account.command("/usr/bin/touch", ["\(home.unfinishedDataDirectory)/PG_VERSION"])
                    .run()
                    .status == 0)

            let cluster = try place.start()
            defer { cluster.stop() }

            #expect(try cluster.probe() == .accepting)
            #expect(access(home.unfinishedDataDirectory, F_OK) != 0)
        }

        @Test func dataOfAnotherMajorVersionIsRefusedByName() throws {
            let place = try Place()
            defer { place.remove() }
            let home = try ClusterHome.development(in: place.cluster)
            let account = home.account
            #expect(try account.command("/bin/mkdir", ["-m", "700", home.dataDirectory]).run().status == 0)
            try Descriptor.open("\(home.dataDirectory)/PG_VERSION", O_WRONLY | O_CREAT, owner: account).write(
                "7\n")

            let error = #expect(throws: LocalPostgresError.self) { try place.start() }

            #expect(error?.code == .incompatibleData)
            #expect(error?.message.contains("was written by PostgreSQL 7,") == true)
            #expect(error?.message.contains("postgresql-7") == true)
        }

        @Test func aServerStartedByOtherMeansIsLeftAlone() throws {
            let place = try Place.filled()
            defer { place.remove() }
            let cluster = try place.start()
            cluster.stop()
            let home = cluster.control.home
            let socket = "-k \(home.socketDirectory)"
            let pgCtl = cluster.control.binaries.path("pg_ctl")
            let start = [
                "-D", home.dataDirectory, "-l", home.logFile, "-o", "-p 5555 \(socket)", "-w", "start",
            ]
            #expect(try home.account.command(pgCtl, start).run().status == 0)
            defer {
                let stop = ["-D", home.dataDirectory, "-m", "immediate", "-w", "stop"]
                #expect((try? home.account.command(pgCtl, stop).run().status) == 0)
            }
            let foreign = try #require(home.postmaster?.processID)

            let error = #expect(throws: LocalPostgresError.self) { try place.start() }

            #expect(error?.output.contains("process \(foreign)") == true)
            #expect(kill(foreign, 0) == 0)
        }

        @Test func aPathTooLongForASocketGetsAShortOne() throws {
            let place = try Place()
            defer { place.remove() }
            let long = "\(place.path)/\(String(repeating: "long", count: 25))"
            try place.fill(long)
            let cluster = try place.start(long)
            #expect(cluster.directory == long)
            #expect(!cluster.socketDirectory.hasPrefix(long))
            #expect(try cluster.probe() == .accepting)

            cluster.stop()

            #expect(access(cluster.socketDirectory, F_OK) != 0)
        }

        @Test func aPathWithSpacesAndQuotesIsUsable() throws {
            let place = try Place()
            defer { place.remove() }
            let odd = "\(place.path)/it's \"my\", $HOME\\"
            try place.fill(odd)
            let cluster = try place.start(odd)
            defer { cluster.stop() }
            #expect(try cluster.query("select 1", at: cluster.url) == "1")
        }

        @Test func anythingButADirectoryIsRefused() throws {
            let place = try Place()
            defer { place.remove() }
            try Descriptor.open(place.cluster, O_WRONLY | O_CREAT).write("")
            let error = #expect(throws: LocalPostgresError.self) { try place.start() }
            #expect(error?.code == .unusableDirectory)
        }

        /// As a plain user there is nothing to arrange: what we can enter, the server can.
        @Test(.enabled(if: geteuid() == 0)) func rootKeepsDataElsewhereWhenTheServerCannotEnter() throws {
            let place = try Place(mode: 0o700)
            defer { place.remove() }
            try place.fill()
            let cluster = try place.start()
            defer {
                Place(path: cluster.directory).remove()
                // Fails, rightly, when other clusters have homes there.
                rmdir(FileSystem.parent(of: cluster.directory))
            }
            defer { cluster.stop() }
            #expect(cluster.directory.hasPrefix("/var/lib/green-reactor/postgres-"))
            #expect(FileSystem.target(ofLink: place.cluster) == cluster.directory)

            let again = try place.start()
            defer { again.stop() }

            #expect(again.directory == cluster.directory)
            #expect(try again.query("select 1", at: again.url) == "1")
        }

        @Test(.enabled(if: geteuid() == 0)) func rootGoesOnAsTheOwnerOfWhatIsThere() throws {
            let place = try Place()
            defer { place.remove() }
            mkdir(place.cluster, 0o700)
            chown(place.cluster, 65_534, 65_534)
            let cluster = try place.start()
            defer { cluster.stop() }
            var status = stat()
            #expect(stat("/proc/\(try #require(cluster.serverProcessID))", &status) == 0)
            #expect(status.st_uid == 65_534)
        }
    }
}
