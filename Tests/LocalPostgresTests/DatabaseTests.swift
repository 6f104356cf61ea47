import Glibc
import Synchronization
import Testing

@testable import LocalPostgres

extension LocalPostgresTests {
    @Suite struct DatabaseTests {
        struct Stop: Error {}

        final class Count: Sendable {
            let value = Mutex(0)
        }

        @Test func aPreparedDatabaseIsMadeOnceAndEachCallerGetsItsOwn() async throws {
            let cluster = try LocalCluster.temporary()
            defer { cluster.stop() }
            let preparations = Count()
            let urls = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await cluster.createDatabase(preparedAs: "numbers") { url in
                            preparations.value.withLock { $0 += 1 }
                            _ = try cluster.query(
                                "create table n as select generate_series(1, 10) as n", at: url)
                        }
                    }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(preparations.value.withLock { $0 } == 1 && Set(urls).count == 4)
            _ = try cluster.query("delete from n", at: urls[0])
            #expect(try cluster.query("select count(*) from n", at: urls[0]) == "0")
            #expect(try cluster.query("select count(*) from n", at: urls[1]) == "10")
        }

        @Test func theNextCopyIsMadeWhileThisOneIsUsed() async throws {
            let cluster = try LocalCluster.temporary()
            defer { cluster.stop() }
            let copies = "select count(*) from pg_database where datname like 'test_%'"
            let first = try await cluster.createDatabase(preparedAs: "empty") { _ in }
            // One for the caller, and one that nobody has asked for yet.
            while try cluster.query(copies, at: cluster.url) != "2" {}
            let second = try await cluster.createDatabase(preparedAs: "empty") { _ in }
            #expect(first != second)
            _ = try cluster.query("create table t ()", at: first)
            #expect(try cluster.query("select count(*) from pg_class where relname = 't'", at: second) == "0")
            while try cluster.query(copies, at: cluster.url) != "3" {}
        }

        @Test func aPreparationThatFailsIsTriedAgain() async throws {
            let cluster = try LocalCluster.shared()
            await #expect(throws: Stop.self) {
                try await cluster.createDatabase(preparedAs: "second try") { _ in throw Stop() }
            }
            let url = try await cluster.createDatabase(preparedAs: "second try") { _ in }
            #expect(try cluster.query("select 1", at: url) == "1")
        }

        @Test func aConnectionThatThePreparationLeftOpenIsEnded() async throws {
            let cluster = try LocalCluster.shared()
            let processID = Count()
            defer { _ = Command.wait(for: pid_t(processID.value.withLock { $0 })) }
            let url = try await cluster.createDatabase(preparedAs: "left open") { url in
                let client = try cluster.psql("select pg_sleep(60)", at: url).start([])
                processID.value.withLock { $0 = Int(client) }
                var sessions = ""
                while sessions != "1" {
                    sessions = try cluster.query(
                        "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'",
                        at: cluster.url)
                }
            }
            #expect(try cluster.query("select 1", at: url) == "1")
        }

        @Test func aMissingTemplateIsNamed() throws {
            let cluster = try LocalCluster.shared()
            let error = #expect(throws: LocalPostgresError.self) {
                try cluster.createDatabase(copying: "nowhere")
            }
            #expect(error?.code == .commandFailed && error?.description.contains("\"nowhere\"") == true)
        }

        @Test func aDroppedDatabaseIsGone() throws {
            let cluster = try LocalCluster.shared()
            _ = try cluster.createDatabase("short_lived")
            try cluster.dropDatabase("short_lived")
            let count = try cluster.query(
                "select count(*) from pg_database where datname = 'short_lived'", at: cluster.url)
            #expect(count == "0")
            #expect(throws: LocalPostgresError.self) { try cluster.dropDatabase("short_lived") }
        }
    }
}
