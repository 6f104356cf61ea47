import Greenlets
import PostgresValues
import ReactorCore
import ReactorTesting
import Testing

@testable import Postgres

/// The README's transaction, as it stands there.
@Suite struct ReadmeTransactionsExampleTests {
    @Test func theReadmesTransactionWorks() async throws {
        try await Database().withPool { (db, _) async throws in
            try await db.execute("CREATE TABLE film (id int, title text, stock int)")
            try await db.execute("CREATE TABLE audit (id int)")
            try await db.execute("INSERT INTO film VALUES (1, 'Alien', 5)")
            let id: Int32 = 1
            var announced: [Int32] = []
            @ReactorActor func audit(_ id: Int32) async throws {
                try await db.execute("INSERT INTO audit VALUES (\(id))")
            }
            @ReactorActor func announce(_ id: Int32) async { announced.append(id) }

            try await db.transaction(isolation: .serializable, retry: 3) { tx in
                let stock: Int = try await tx.one("SELECT stock FROM film WHERE id = \(id)")
                try await tx.execute("UPDATE film SET stock = \(stock - 1) WHERE id = \(id)")
                try await audit(id)  // uses db: it is this transaction, in this greenlet
                tx.onCommit { await announce(id) }
            }
            let (film, count) = try await db.pipeline {  // one round trip
                (
                    $0.query("SELECT title FROM film WHERE id = \(id)"),
                    $0.one(Int.self, "SELECT count(*) FROM film")
                )
            }

            #expect(try film[0].decode(String.self, at: 0) == "Alien" && count == 1 && announced == [1])
            #expect(try await db.one(Int.self, "SELECT stock FROM film") == 4)
            #expect(try await db.one(Int.self, "SELECT count(*) FROM audit") == 1)
        }
    }
}
