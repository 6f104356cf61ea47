import Glibc
import Testing

@testable import LocalPostgres

extension LocalPostgresTests {
    /// The owner really dies by SIGKILL here: each test runs its owner in a process of its own.
    @Suite struct WatchdogTests {
        @Test func nothingIsLeftOfAThrowAwayClusterWhenItsOwnerIsKilled() async throws {
            let result = await #expect(
                processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
            ) {
                let cluster = try LocalCluster.temporary()
                try report(cluster)
                kill(getpid(), SIGKILL)
            }
            let owner = try #require(Report(result))

            waitForWatchdog(of: owner.directory)

            #expect(access(owner.directory, F_OK) != 0)
            #expect(!isRunning(owner.serverProcessID))
            #expect(try !sharedMemorySegments().contains(owner.segment))
        }

        @Test func aDevelopmentServerIsStoppedCleanlyWhenItsOwnerIsKilled() async throws {
            let result = await #expect(
                processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
            ) {
                let cluster = try Place.filled().start()
                try report(cluster)
                kill(getpid(), SIGKILL)
            }
            let owner = try #require(Report(result))
            defer { owner.place.remove() }

            waitForWatchdog(of: owner.directory)

            #expect(!isRunning(owner.serverProcessID))
            #expect(access("\(owner.directory)/data/postmaster.pid", F_OK) != 0)
            let next = try owner.place.start()
            defer { next.stop() }
            #expect(try next.probe() == .accepting)
        }

        @Test func aServerWithoutOwnerAndWatchdogIsTakenOver() async throws {
            let result = await #expect(
                processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
            ) {
                let cluster = try Place.filled().start()
                try report(cluster)
                kill(cluster.watchdogProcessID ?? getpid(), SIGKILL)
                kill(getpid(), SIGKILL)
            }
            let owner = try #require(Report(result))
            defer { owner.place.remove() }
            #expect(isRunning(owner.serverProcessID))

            let next = try owner.place.start()

            #expect(next.serverProcessID == owner.serverProcessID)
            next.stop()
            #expect(!isRunning(owner.serverProcessID))
        }

        @Test func exitStopsTheServerBeforeTheProcessIsGone() async throws {
            let result = await #expect(
                processExitsWith: .exitCode(7), observing: [\.standardOutputContent]
            ) {
                try report(LocalCluster.temporary())
                exit(7)
            }
            let owner = try #require(Report(result))
            #expect(access(owner.directory, F_OK) != 0)
            #expect(!isRunning(owner.serverProcessID))
        }

        @Test func aStartThatIsCutOffLeavesNothing() async throws {
            let result = await #expect(
                processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
            ) {
                let place = try Place(mode: 0o777)
                setenv("LOCAL_POSTGRES_TMPDIR", place.path, 1)
                print("place|\(place.path)")
                fflush(nil)
                // initdb's directory is there: initdb and a server in single-user mode are at work.
                runOnThread {
                    while !place.contains("data.new") { sched_yield() }
                    kill(getpid(), SIGKILL)
                }
                _ = try LocalCluster.temporary()
            }
            let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
            let path = try #require(
                output.split(separator: "\n").first { $0.hasPrefix("place|") }?.dropFirst(6))
            let place = Place(path: String(path))
            defer { place.remove() }

            for home in FileSystem.entries(of: place.path) { waitForWatchdog(of: "\(place.path)/\(home)") }

            #expect(FileSystem.entries(of: place.path) == [])
        }

        /// Nothing could be removed from there once the server is over.
        @Test(.enabled(if: geteuid() == 0, "as a plain user the server has no account of its own"))
        func aPlaceThatTheServersAccountCannotClearUpIsRefused() async {
            await #expect(processExitsWith: .success) {
                let place = try Place(mode: 0o755)
                defer { place.remove() }
                setenv("LOCAL_POSTGRES_TMPDIR", place.path, 1)
                let error = #expect(throws: LocalPostgresError.self) { try LocalCluster.temporary() }
                #expect(error?.code == .unusableDirectory)
                #expect(error?.message.contains("chmod 1777 \(place.path)") == true)
                #expect(FileSystem.entries(of: place.path) == [])
                setenv("LOCAL_POSTGRES_TMPDIR", "\(place.path)/missing", 1)
                let missing = #expect(throws: LocalPostgresError.self) { try LocalCluster.temporary() }
                #expect(missing?.message.contains("No such file") == true)
            }
        }

        /// The server's programs run in directories of their own.
        @Test func aParentNamedRelativelyOrByNothingServes() async {
            await #expect(processExitsWith: .success) {
                let place = try Place(mode: 0o777)
                defer { place.remove() }
                #expect(chdir(place.path) == 0)
                setenv("LOCAL_POSTGRES_TMPDIR", ".", 1)
                let home = try ClusterHome.temporary(for: .current())
                #expect(home.path.hasPrefix("\(place.path)/green-postgres."))
                rmdir(home.socketDirectory)
                rmdir(home.path)
                setenv("LOCAL_POSTGRES_TMPDIR", "", 1)
                #expect(ClusterHome.temporaryParent == "/tmp")
            }
        }

        /// What becomes of a cluster whose owner and watchdog were killed at once.
        @Test func aHomeIsAbandonedWhenNobodyHoldsItsLock() throws {
            let account = try ServerAccount.current()
            let home = try ClusterHome.temporary(for: account)
            let isAbandoned = { (seconds: Int) in
                ClusterHome.abandoned(of: account, olderThan: seconds).contains { $0.path == home.path }
            }
            let users = try FileLock.acquire(home.usersLock, .shared, owner: account, seconds: 1)
            withExtendedLifetime(users) { #expect(!isAbandoned(-1)) }
            _ = consume users
            // A child that another test is just starting has it, too, until it runs its program.
            for _ in 0..<1000 where !isAbandoned(-1) { usleep(10_000) }
            #expect(isAbandoned(-1))
            #expect(!isAbandoned(60))

            _ = try ClusterScript.command("discard", home).run(handing: [nil, ClusterScript.file()])

            #expect(access(home.path, F_OK) != 0)
        }
    }
}
