import Glibc

@testable import LocalPostgres
import Testing

extension LocalPostgresTests {
    @Suite struct LocalClusterTests {
        @Test func sharedClusterIsOnePerProcess() throws {
            let first = try LocalCluster.shared()
            let second = try LocalCluster.shared()
            #expect(first === second)
            #expect(try first.probe() == .accepting)
        }

        @Test func everyCreatedDatabaseIsNew() throws {
            let cluster = try LocalCluster.shared()
            let urls = try [cluster.createDatabase(), cluster.createDatabase()]
            #expect(urls[0] != urls[1])
            for url in urls { #expect(try cluster.query("select 1", at: url) == "1") }
        }

        @Test func anExistingDatabaseIsNotCreatedAgain() throws {
            let cluster = try LocalCluster.shared()
            _ = try cluster.createDatabase("taken")
            let error = #expect(throws: LocalPostgresError.self) { try cluster.createDatabase("taken") }
            #expect(error?.code == .commandFailed)
            #expect(error?.exitStatus == 1)
            #expect(error?.description.contains("\"taken\" already exists") == true)
        }

        @Test func anyDatabaseNameMakesAValidURL() throws {
            let cluster = try LocalCluster.shared()
            let name = "a b&c=d?e%f'g\"h/ü"
            #expect(try cluster.query("select current_database()", at: cluster.createDatabase(name)) == name)
        }

        @Test func serverListensOnNothingButASocketOnlyItsAccountCanReach() throws {
            let cluster = try LocalCluster.shared()
            #expect(try cluster.query("show listen_addresses", at: cluster.url) == "")
            var status = stat()
            #expect(stat(cluster.socketDirectory, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
            #expect(stat(cluster.directory, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
        }

        @Test func serverDoesNotRunAsRoot() throws {
            let cluster = try LocalCluster.shared()
            let processID = try #require(cluster.serverProcessID)
            var status = stat()
            #expect(stat("/proc/\(processID)", &status) == 0)
            #expect(status.st_uid != 0)
            if geteuid() != 0 { #expect(status.st_uid == geteuid()) }
        }

        /// As others do who look whether it is abandoned, just before its directory goes.
        @Test func homeWhoseLockIsMadeAnewWhileItGoesLeavesNothing() throws {
            let cluster = try LocalCluster.temporary()
            let (directory, lock) = (cluster.directory, cluster.control.home.usersLock)
            runOnThread { cluster.stop() }
            var status = stat()
            while stat("\(directory)/data", &status) == 0 { usleep(100) }
            for _ in 0..<50_000 {
                let fd = open(lock, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
                guard fd >= 0 else { break }  // the directory is gone
                close(fd)
            }
            for _ in 0..<1000 where stat(directory, &status) == 0 { usleep(10_000) }
            #expect(stat(directory, &status) != 0)
        }

        @Test(arguments: [LocalCluster.StopMode.fast, .immediate])
        func stopLeavesNothing(_ mode: LocalCluster.StopMode) throws {
            let cluster = try LocalCluster.temporary()
            let processID = try #require(cluster.serverProcessID)
            let segments = try cluster.sharedMemorySegments()
            #expect(!segments.isEmpty)

            cluster.stop(mode: mode)

            #expect(access(cluster.directory, F_OK) != 0)
            #expect(!isRunning(processID))
            #expect(segments.isDisjoint(with: try sharedMemorySegments()))
            #expect(cluster.serverProcessID == nil)
        }

        @Test func stoppedClusterRefusesWorkAndStopsAgainWithoutEffect() throws {
            let cluster = try LocalCluster.temporary()
            cluster.stop()
            cluster.stop()
            #expect(#expect(throws: LocalPostgresError.self) { try cluster.restart() }?.code == .stopped)
            #expect(
                #expect(throws: LocalPostgresError.self) { try cluster.createDatabase() }?.code == .stopped)
        }

        @Test func stopAfterTheServerWasKilledLeavesNothing() throws {
            let cluster = try LocalCluster.temporary()
            let segments = try cluster.sharedMemorySegments()
            kill(try #require(cluster.serverProcessID), SIGKILL)

            cluster.stop()

            #expect(access(cluster.directory, F_OK) != 0)
            #expect(segments.isDisjoint(with: try sharedMemorySegments()))
        }

        /// A backend that only computes does not look whether its parent lives.
        @Test func stopEndsABackendThatOutlivesAKilledServer() throws {
            let cluster = try LocalCluster.temporary()
            let endless = "select count(*) from generate_series(1, 1000000000000)"
            let client = try cluster.psql(endless, at: cluster.url).start([nil, nil, nil])
            defer { Command.wait(for: client) }
            var backend: pid_t?
            while backend == nil {
                let active =
                    "select pid from pg_stat_activity where query = '\(endless)' and state = 'active'"
                backend = pid_t(try cluster.query(active, at: cluster.url))
            }
            kill(try #require(cluster.serverProcessID), SIGKILL)

            cluster.stop()

            #expect(!isRunning(try #require(backend)))
            #expect(access(cluster.directory, F_OK) != 0)
        }

        @Test(arguments: [LocalCluster.StopMode.fast, .immediate])
        func restartKeepsDataAndURL(_ mode: LocalCluster.StopMode) throws {
            let cluster = try LocalCluster.temporary()
            defer { cluster.stop() }
            let url = try cluster.createDatabase()
            let before = try #require(cluster.serverProcessID)

            try cluster.restart(mode: mode)

            #expect(cluster.serverProcessID != before)
            #expect(try cluster.query("select 1", at: url) == "1")
        }

        @Test func restartRevivesAKilledServer() throws {
            let cluster = try LocalCluster.temporary()
            defer { cluster.stop() }
            kill(try #require(cluster.serverProcessID), SIGKILL)

            try cluster.restart()

            #expect(try cluster.probe() == .accepting)
        }

        @Test func settingsReachTheServer() throws {
            let cluster = try LocalCluster.temporary(settings: ["max_connections": "7"])
            defer { cluster.stop() }
            #expect(try cluster.query("show max_connections", at: cluster.url) == "7")
        }

        @Test func aServerThatRefusesItsSettingsIsAnErrorWithTheEndOfItsLog() throws {
            let error = #expect(throws: LocalPostgresError.self) {
                try LocalCluster.temporary(settings: ["shared_buffers": "lots"])
            }
            #expect(error?.code == .serverNotStarted)
            #expect(error?.command?.contains("shared_buffers=lots") == true)
            #expect(error?.output.contains("invalid value for parameter \"shared_buffers\"") == true)
        }
    }
}
