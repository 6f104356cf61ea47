import GreenReactor
import LocalPostgres
import Models
import Postgres
import ReactorTesting
import Testing

/// The program of README.md, compiled and run. Keep the two alike.
@Suite struct ReadmeExampleTests {
    struct Client: Model {
        static let table = "clients"
        var id: Int64?
        var code: String
        var packet: String
    }

    final class Lookup: LineReceiver {  // one connection; reactor-only, so no locks
        private let db: PostgresPool
        init(db: PostgresPool) { self.db = db; super.init() }

        func lineReceived(_ line: String) {
            // Looks blocking, parks.
            reactor.deferToGreenlet { [db] in try Client.where { $0.code == line }.first(db) }
                .addCallback { self.send($0?.packet ?? "unknown") }
                .addErrback { self.send("error: \($0)") }
        }
    }

    @Test func programOfTheReadmeAnswersInBothStyles() async throws {
        try await withReactor { reactor in
            let url = try await reactor.threadPool.run { try LocalCluster.shared().createDatabase() }
            let db = PostgresPool(try PostgresConfiguration(url))
            try await db.execute(
                "CREATE TABLE clients (id bigint GENERATED ALWAYS AS IDENTITY, code text, packet text)")
            _ = try await Client(code: "12345", packet: "hello").insert(db)

            let port = try reactor.listenTCP("127.0.0.1", port: 0) { Lookup(db: db) }
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                for try await line in connection.lines {
                    let client = try await Client.where { $0.code == line }.first(db)
                    try await connection.write((client?.packet ?? "unknown") + "\r\n")
                }
            }
            for number in [port.port, server.port] {
                let client = try await reactor.connectTCP("127.0.0.1", port: number) { LineClient() }
                var answer = try await client.ask("12345")
                #expect(answer == "hello")
                answer = try await client.ask("54321")
                #expect(answer == "unknown")
                client.loseConnection()
            }
            await port.stop(gracePeriod: .seconds(1))
            await server.stop(gracePeriod: .seconds(1))
            await db.close(grace: .seconds(1))
        }
    }
}
