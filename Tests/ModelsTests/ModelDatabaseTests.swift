import FoundationEssentials
import Greenlets
import Models
import Postgres
import PostgresValues
import ReactorCore
import Testing

@Suite struct ModelDatabaseTests {
    /// Three clients, in the order of their codes.
    @ReactorActor
    private static func fill(_ db: PostgresPool) async throws {
        for code in ["a", "b", "c"] {
            try await Client(id: nil, code: code, packet: "packet \(code)").insert(db)
        }
    }

    @Test func insertReturnsTheStoredRowWithItsID() async throws {
        try await Database().withPool { db async throws in
            let stored = try await Client(id: nil, code: "a", packet: "b").insert(db)
            #expect(stored == Client(id: 1, code: "a", packet: "b"))
            let chosen = try await Client(id: 70, code: "c", packet: "d").insert(db)
            #expect(chosen.id == 70)
            #expect(try await Client.all(db).map(\.id) == [1, 70])
        }
    }

    @Test func bothFormsFindTheSame() async throws {
        try await Database().withPool { db async throws in
            try await Self.fill(db)
            let query = Client.where { $0.code >= "b" }.order { [$0.code.desc] }
            let expected = [
                Client(id: 3, code: "c", packet: "packet c"), Client(id: 2, code: "b", packet: "packet b"),
            ]
            #expect(try await query.fetch(db) == expected)
            #expect(try await query.first(db) == expected[0])
            #expect(try await query.count(db) == 2)
            #expect(try await query.exists(db))
            #expect(try await Client.find(2, db) == expected[1])
            #expect(try await Client.count(db) == 3)

            let greenlet = Greenlet.spawn {
                #expect(try query.fetch(db) == expected)
                #expect(try query.first(db) == expected[0])
                #expect(try query.count(db) == 2)
                #expect(try query.exists(db))
                #expect(try Client.find(2, db) == expected[1])
                #expect(try Client.count(db) == 3)
                #expect(try Client.all(db).count == 3)
                #expect(try Client.all(sql: "SELECT * FROM clients WHERE id = \(3)", db) == [expected[0]])
                let stored = try Client(id: nil, code: "d", packet: "").insert(db)
                #expect(try Client.where { $0.id == stored.id }.delete(db) == 1)
                return try Client.deleteAll(db)
            }
            #expect(try await greenlet.get() == 3)
            #expect(try await Client.all(db).isEmpty)
        }
    }

    @Test func deferredGreenletsReadModels() async throws {
        try await Database().withPool { db async throws in
            try await Self.fill(db)
            let deferred = deferToGreenlet { try Client.where { $0.code == "b" }.first(db)?.packet }
            #expect(try await deferred.value == "packet b")
        }
    }

    @Test func synchronousFormOutsideAGreenletIsAClearError() async throws {
        try await Database().withPool { db async throws in
            func synchronous() throws -> [Client] { try Client.all(db) }
            #expect { try synchronous() } throws: { ($0 as? GreenletError)?.code == .notInGreenlet }
        }
    }

    @Test func nothingFoundIsNilOrEmpty() async throws {
        try await Database().withPool { db async throws in
            #expect(try await Client.all(db).isEmpty)
            #expect(try await Client.where { $0.code == "x" }.first(db) == nil)
            #expect(try await Client.where { $0.code == "x" }.count(db) == 0)
            #expect(try await !Client.where { $0.code == "x" }.exists(db))
            #expect(try await Client.find(7, db) == nil)
            #expect(try await Client.find(nil, db) == nil)
        }
    }

    @Test func conditionsChooseTheRowsThatTheySay() async throws {
        try await Database().withPool { db async throws in
            try await Self.fill(db)
            let table: [(ModelQuery<Client>, String)] = [
                (Client.where { $0.code == "a" || $0.code == "c" }, "ac"),
                (Client.where { $0.code != "a" }, "bc"),
                (Client.where { !($0.code == "a") && $0.id < 3 }, "b"),
                (Client.where { $0.code.in(["a", "c", "x"]) }, "ac"),
                (Client.where { $0.code.in([]) }, ""),
                (Client.where { $0.id.in([2, 3]) }, "bc"),
                (Client.where { $0.code.notIn(["a"]) }, "bc"),
                (Client.where { $0.packet.like("%B") }, ""),
                (Client.where { $0.packet.ilike("%B") }, "b"),
                (Client.where { $0.id.between(2, 3) }, "bc"),
                (Client.where { $0.id == nil }, ""),
                (Client.where { $0.id != nil }, "abc"),
                (Client.where { $0.id != 1 }, "bc"),
                (Client.where { $0.code < $0.packet }, "abc"),
                (Client.where(sql: "length(packet) > \(100)"), ""),
                (Client.limit(2), "ab"),
                (Client.limit(2).offset(1), "bc"),
            ]
            for (query, codes) in table {
                let found = try await query.order { [$0.code.asc] }.fetch(db)
                #expect(found.map(\.code).joined() == codes)
                #expect(try await query.count(db) == codes.count)
                #expect(try await query.exists(db) == !codes.isEmpty)
            }
        }
    }

    @Test(arguments: [
        "'; DROP TABLE clients; --", "a\\'b", "$1", "\"", "%_", "naïve Ünïcode 🦉 e\u{301}", "\n\t\u{1}", "",
    ])
    func everyTextIsStoredAndFoundAsItIs(text: String) async throws {
        try await Database().withPool { db async throws in
            let stored = try await Client(id: nil, code: text, packet: text).insert(db)
            #expect(Array(stored.packet.unicodeScalars) == Array(text.unicodeScalars))
            let found = try #require(
                try await Client.where { $0.code == text && $0.packet == text }.first(db))
            #expect(found == stored)
            #expect(try await Client.where { $0.code.in([text]) }.count(db) == 1)
            #expect(try await Client.count(db) == 1)
        }
    }

    @Test func nulIsRefusedAndTheConnectionLives() async throws {
        try await Database().withPool { db async throws in
            await #expect {
                try await Client(id: nil, code: "a\0", packet: "").insert(db)
            } throws: {
                ($0 as? PostgresValueError)?.code == .nulCharacter
            }
            #expect(try await Client.count(db) == 0)
        }
    }

    @Test func everyKindOfPropertyGoesThereAndBack() async throws {
        try await Database().withPool { db async throws in
            var film = Film(
                id: UUID(), title: "T", lengthMinutes: 90, rating: .pg, spokenLanguage: "de",
                posterURL: "http://x/", score: -.infinity, isPublic: false, digest: [0, 255, 92],
                tags: ["a", "b\"c", "", "NULL"], releasedAt: Date(timeIntervalSinceReferenceDate: 123.456_789)
            )
            #expect(try await film.insert(db) == film)
            film = Film(id: nil, title: "", lengthMinutes: nil, score: 0)
            let stored = try await film.insert(db)
            film.id = stored.id
            #expect(stored.id != nil && stored == film)
            #expect(try await Film.find(stored.id, db) == film)
            #expect(try await Film.where { $0.rating == .pg && $0.isPublic == false }.count(db) == 1)
            #expect(try await Film.where { $0.rating.in([.g, .pg]) }.count(db) == 2)
            #expect(try await Film.where { $0.tags == ["a", "b\"c", "", "NULL"] }.count(db) == 1)
            #expect(try await Film.where { $0.spokenLanguage == nil }.count(db) == 1)
            #expect(try await Film.where { $0.spokenLanguage != "de" }.count(db) == 1)
            #expect(
                try await Film.where { $0.digest == [0, 255, 92] && $0.releasedAt > Date.distantPast }.count(
                    db) == 1)
        }
    }

    @Test func modelsReadByHandNeedNoID() async throws {
        try await Database().withPool { db async throws in
            #expect(try await Pair(left: 1, right: nil).insert(db) == Pair(left: 1, right: nil))
            #expect(try await Pair.where { $0.right == nil }.first(db) == Pair(left: 1, right: nil))
        }
    }

    @Test func nullInTheTableThatTheModelDoesNotAllowNamesItsColumn() async throws {
        struct Strict: Model {
            static let table = "pairs"
            var left: Int
            var right: Int
        }
        try await Database().withPool { db async throws in
            try await Pair(left: 1, right: nil).insert(db)
            await #expect {
                try await Strict.all(db)
            } throws: { error in
                let error = error as? PostgresValueError
                return error?.code == .unexpectedNull && error?.column == "right"
            }
        }
    }

    @Test func missingTablesAndColumnsAreNamedByTheServer() async throws {
        struct Wrong: Model {
            static let table = "clients"
            var id: Int64?
            var nickname: String
        }
        struct Nowhere: Model {
            static let table = "nowhere"
            var id: Int64?
        }
        try await Database().withPool { db async throws in
            await #expect { try await Wrong.all(db) } throws: {
                ($0 as? PostgresError)?.sqlState?.rawValue == "42703" && "\($0)".contains("nickname")
            }
            await #expect { try await Nowhere.all(db) } throws: {
                ($0 as? PostgresError)?.sqlState?.rawValue == "42P01" && "\($0)".contains("nowhere")
            }
        }
    }

    @Test func brokenConstraintsArePassedThrough() async throws {
        try await Database().withPool { db async throws in
            try await Self.fill(db)
            await #expect { try await Client(id: nil, code: "a", packet: "").insert(db) } throws: {
                ($0 as? PostgresError)?.sqlState?.rawValue == "23505"
            }
        }
    }

    @Test func rowsThatATriggerDropsAreNotInserted() async throws {
        try await Database().withPool { db async throws in
            try await db.execute(
                "CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
            try await db.execute(
                "CREATE TRIGGER t BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION drop_it()")
            await #expect { try await Client(id: nil, code: "a", packet: "").insert(db) } throws: {
                ($0 as? ModelError)?.code == .notInserted
            }
        }
    }

    @Test func transactionsCarryModels() async throws {
        struct Regret: Error {}
        try await Database().withPool { db async throws in
            await #expect(throws: Regret.self) {
                try await db.transaction { tx in
                    try await Client(id: nil, code: "a", packet: "").insert(tx)
                    #expect(try await Client.count(tx) == 1)
                    throw Regret()
                }
            }
            #expect(try await Client.count(db) == 0)
        }
    }

    @Test func theDatabaseWaitsWhereASQLConditionSaysSo() async throws {
        try await Database().withPool { db async throws in
            try await Self.fill(db)
            let start = reactor.now
            let found = try await Client.where { $0.code == "b" }
                .where(sql: "pg_sleep(\(0.2)) IS NOT NULL").first(db)
            #expect(found?.code == "b")
            #expect(reactor.now >= start.advanced(by: .milliseconds(200)))
        }
    }

    @Test func greenletsWaitSideBySide() async throws {
        try await Database().withPool { db async throws in
            try await Self.fill(db)
            var (waiting, most) = (0, 0)
            let greenlets = (0..<10).map { _ in
                Greenlet.spawn {
                    waiting += 1
                    most = max(most, waiting)
                    defer { waiting -= 1 }
                    return try Client.where { $0.code == "b" }.where(sql: "pg_sleep(\(0.5)) IS NOT NULL")
                        .first(db)
                }
            }
            for greenlet in greenlets {
                #expect(try await greenlet.get()?.code == "b")
            }
            #expect(most == 10)
        }
    }
}
