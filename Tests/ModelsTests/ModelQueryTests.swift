import PostgresValues
import Testing

@testable import Models

@Suite struct ModelQueryTests {
    /// The text behind `WHERE`, with the table's name left out.
    private func condition(_ query: ModelQuery<Client>) throws -> String {
        try query.statement().text
            .replacing(#"SELECT "id", "code", "packet" FROM "clients""#, with: "")
            .replacing(#""clients"."#, with: "")
    }

    @Test func allColumnsAreSelectedByName() throws {
        #expect(
            try ModelQuery<Client>().statement().text == #"SELECT "id", "code", "packet" FROM "clients""#)
    }

    @Test func valuesAreBoundAndNeverPasted() throws {
        let code = "'; DROP TABLE clients; --"
        let sql = try Client.where { $0.code == code && ($0.id > 3 || $0.packet.ilike("%x%")) }
            .order { [$0.code.asc, $0.id.desc] }.limit(5).offset(10).statement()
        #expect(
            sql.text == """
                SELECT "id", "code", "packet" FROM "clients" WHERE "clients"."code" = $1 AND \
                ("clients"."id" > $2 OR "clients"."packet" ILIKE $3) \
                ORDER BY "clients"."code" ASC, "clients"."id" DESC LIMIT $4 OFFSET $5
                """)
        #expect(
            try sql.parameters == [
                code.postgresParameter(), Int64(3).postgresParameter(), "%x%".postgresParameter(),
                5.postgresParameter(), 10.postgresParameter(),
            ])
    }

    @Test func comparisonsBecomeOperators() throws {
        let missing: Int64? = nil
        let table: [((ModelColumns<Client>) -> Condition, String)] = [
            ({ $0.code == "x" }, #"WHERE "code" = $1"#),
            ({ $0.code != "x" }, #"WHERE "code" <> $1"#),
            ({ $0.code < "x" }, #"WHERE "code" < $1"#),
            ({ $0.code <= "x" }, #"WHERE "code" <= $1"#),
            ({ $0.code > "x" }, #"WHERE "code" > $1"#),
            ({ $0.code >= "x" }, #"WHERE "code" >= $1"#),
            ({ $0.id == nil }, #"WHERE "id" IS NULL"#),
            ({ $0.id == missing }, #"WHERE "id" IS NULL"#),
            ({ $0.id != nil }, #"WHERE "id" IS NOT NULL"#),
            ({ $0.id != missing }, #"WHERE "id" IS NOT NULL"#),
            ({ $0.id != 3 }, #"WHERE "id" IS DISTINCT FROM $1"#),
            ({ $0.id == 3 }, #"WHERE "id" = $1"#),
            ({ $0.id.isNull }, #"WHERE "id" IS NULL"#),
            ({ $0.id.isNotNull }, #"WHERE "id" IS NOT NULL"#),
            ({ $0.id.between(1, 5) }, #"WHERE "id" BETWEEN $1 AND $2"#),
            ({ $0.id.in([1, 2, 3]) }, #"WHERE "id" = ANY($1)"#),
            ({ $0.code.in([]) }, #"WHERE "code" = ANY($1)"#),
            ({ $0.code.notIn(["a"]) }, #"WHERE "code" <> ALL($1)"#),
            ({ $0.code.like("a%") }, #"WHERE "code" LIKE $1"#),
            ({ $0.code == $0.packet }, #"WHERE "code" = "packet""#),
            ({ $0.code >= $0.packet }, #"WHERE "code" >= "packet""#),
            ({ !($0.code == "x") }, #"WHERE NOT ("code" = $1)"#),
            ({ _ in .sql("length(code) > \(3)") }, #"WHERE (length(code) > $1)"#),
        ]
        for (build, text) in table {
            let written = try condition(Client.where(build))
            #expect(written == " " + text)
        }
    }

    @Test func parenthesesKeepWhatWasMeant() throws {
        #expect(
            try condition(Client.where { ($0.id == 1 || $0.id == 2) && ($0.id == 3 || $0.id == 4) })
                == #" WHERE ("id" = $1 OR "id" = $2) AND ("id" = $3 OR "id" = $4)"#)
        #expect(
            try condition(Client.where { $0.id == 1 && $0.id == 2 && $0.id == 3 || $0.id == 4 })
                == #" WHERE ("id" = $1 AND "id" = $2 AND "id" = $3) OR "id" = $4"#)
        #expect(
            try condition(Client.where { !($0.id == 1 || $0.id == 2) && $0.code == "" })
                == #" WHERE NOT ("id" = $1 OR "id" = $2) AND "code" = $3"#)
    }

    @Test func repeatedConditionsMustAllHold() throws {
        let query = Client.where { $0.code == "a" || $0.code == "b" }
            .where(sql: "pg_sleep(\(0.5)) IS NOT NULL OR true")
            .where { $0.id > 1 }
        #expect(
            try condition(query)
                == #" WHERE ("code" = $1 OR "code" = $2) AND (pg_sleep($3) IS NOT NULL OR true) AND "id" > $4"#
        )
    }

    @Test func nullsCanBeSortedToEitherEnd() throws {
        #expect(
            try condition(Client.order { [$0.id.asc.nullsFirst, $0.id.desc.nullsLast] })
                == #" ORDER BY "id" ASC NULLS FIRST, "id" DESC NULLS LAST"#)
    }

    @Test func enumsAndRenamedColumnsAreCompared() throws {
        let sql = try Film.where { $0.rating == .pg && $0.spokenLanguage == "de" && $0.tags == ["a"] }
            .statement()
        #expect(
            sql.text.hasSuffix(
                #"WHERE "films"."rating" = $1 AND "films"."lang" = $2 AND "films"."tags" = $3"#))
        #expect(try sql.parameters[0] == "pg".postgresParameter())
    }

    @Test func countsAndExistsMindTheLimit() throws {
        let query = Client.where { $0.code == "x" }.order { [$0.id.asc] }
        #expect(
            try query.countStatement().text
                == #"SELECT count(*) FROM "clients" WHERE "clients"."code" = $1"#)
        #expect(
            try query.limit(3).countStatement().text
                == #"SELECT count(*) FROM (SELECT 1 FROM "clients" WHERE "clients"."code" = $1 LIMIT $2) AS counted"#
        )
        #expect(
            try query.existsStatement().text
                == #"SELECT EXISTS (SELECT 1 FROM "clients" WHERE "clients"."code" = $1)"#)
    }

    @Test func deleteRefusesWhatItCannotHonour() throws {
        #expect(
            try Client.where { $0.code == "x" }.deleteStatement().text
                == #"DELETE FROM "clients" WHERE "clients"."code" = $1"#)
        for query in [Client.where { $0.code == "x" }.limit(1), Client.order { [$0.id.asc] }] {
            #expect { try query.deleteStatement() } throws: { ($0 as? ModelError)?.code == .unsupported }
        }
    }

    @Test func computedPropertiesAreErrorsWhenTheQueryRuns() {
        for query in [Film.where { $0.shout == "X" && $0.title == "x" }, Film.order { [$0.shout.asc] }] {
            #expect { try query.statement() } throws: { ($0 as? ModelError)?.code == .notStored }
        }
    }

    @Test func idsAreFoundByTheirColumn() throws {
        let sql = try Client.identified(by: 7).statement()
        #expect(sql.text.hasSuffix(#"WHERE "clients"."id" = $1 LIMIT $2"#))
        #expect(sql.parameters[0] == Int64(7).postgresParameter())
    }

    @Test func insertLeavesOutANilIDAndKeepsOtherNils() throws {
        let schema = try ModelSchema<Client>.shared()
        let fresh = try schema.insertStatement(Client(id: nil, code: "a", packet: "b"))
        #expect(
            fresh.text
                == #"INSERT INTO "clients" ("code", "packet") VALUES ($1, $2) RETURNING "id", "code", "packet""#
        )
        let numbered = try schema.insertStatement(Client(id: 7, code: "a", packet: "b"))
        #expect(
            numbered.text
                == #"INSERT INTO "clients" ("id", "code", "packet") VALUES ($1, $2, $3) RETURNING "id", "code", "packet""#
        )
        let pair = try ModelSchema<Pair>.shared().insertStatement(Pair(left: 1, right: nil))
        #expect(
            pair.text == #"INSERT INTO "pairs" ("left", "right") VALUES ($1, $2) RETURNING "left", "right""#)
        #expect(pair.parameters[1] == .null(.int8))
    }

    @Test func insertOfNothingButDefaults() throws {
        struct Ticket: Model {
            static let table = "tickets"
            var id: Int64?
        }
        #expect(
            try ModelSchema<Ticket>.shared().insertStatement(Ticket()).text
                == #"INSERT INTO "tickets" DEFAULT VALUES RETURNING "id""#)
    }

    @Test(arguments: ["-1", "-5"])
    func negativeLimitsStopTheProgram(text: String) async {
        await #expect(processExitsWith: .failure) { [text] in
            _ = Client.limit(Int(text) ?? 0)
        }
    }
}
