import Testing

@testable import Models

private struct Nested: Codable, Sendable { var x = 1 }
private struct Unsupported: Model {
    static let table = "t"
    var nested = Nested()
}
private struct Empty: Model { static let table = "t" }
private struct Computed: Model {
    static let table = "t"
    static var columns: KeyValuePairs<PartialKeyPath<Computed>, String> { [\.twice: "b"] }
    var a = 1
    var twice: Int { a * 2 }
}
private struct Doubled: Model {
    static let table = "t"
    var userID = 1
    var userId = 2
}
private struct Listed: Model {
    static let table = "t"
    static var columns: KeyValuePairs<PartialKeyPath<Listed>, String> {
        [\.id: "id", \.fullName: "full_name", \.age: "years"]
    }
    var id: Int?
    var fullName: String
    var age: Int
}

@Suite struct ModelSchemaTests {
    @Test func columnsAreTheStoredPropertiesInOrderWithTheRenamedOnes() throws {
        let schema = try ModelSchema<Film>.shared()
        #expect(
            schema.layout.columns == [
                "id", "title", "length_minutes", "rating", "lang", "poster_url", "score", "is_public",
                "digest",
                "tags", "released_at",
            ])
        #expect(schema.idIndex == 0)
        #expect(try ModelSchema<Pair>.shared().idIndex == nil)
    }

    @Test func schemaIsMadeOncePerType() throws {
        #expect(try ModelSchema<Client>.shared() === ModelSchema<Client>.shared())
    }

    @Test func schemaIsMadeFromManyThreadsAtOnce() async throws {
        struct Raced: Model {
            static let table = "raced"
            var id: Int?
        }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<64 {
                group.addTask { try ModelSchema<Raced>.shared().fields.count }
            }
            for try await count in group {
                #expect(count == 1)
            }
        }
    }

    private func code<M: Model>(_: M.Type) -> ModelError? {
        do throws(ModelError) {
            _ = try ModelSchema<M>.shared()
            return nil
        } catch {
            return error
        }
    }

    @Test func declarationsThatCannotWorkSayWhy() throws {
        let unsupported = try #require(code(Unsupported.self))
        #expect(unsupported.code == .unsupportedProperty)
        #expect(unsupported.description.contains("Unsupported.nested is a Nested"))
        #expect(code(Empty.self)?.code == .noProperties)
        #expect(code(Computed.self)?.code == .notStored)
        #expect(code(Doubled.self)?.code == .duplicateColumn)
        #expect(code(Doubled.self)?.description.contains("\"user_id\"") == true)
    }

    @Test func withoutReflectionTheColumnsMustBeListed() throws {
        #expect {
            _ = try ModelSchema<Client>(properties: [])
        } throws: { error in
            (error as? ModelError)?.code == .reflectionMissing && "\(error)".contains("list them all")
        }
    }

    @Test func withoutReflectionTheListIsTheSchema() throws {
        let schema = try ModelSchema<Listed>(properties: [])
        #expect(schema.selectHead == #"SELECT "id", "full_name", "years" FROM "t""#)
        #expect(schema.idIndex == 0)
        #expect(schema.layout.index(codingKey: "fullName") == 1)
    }
}
