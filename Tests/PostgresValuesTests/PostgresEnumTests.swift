import PostgresValues
import Testing

private enum Rating: String, PostgresEnum, CaseIterable { case general = "g", parental = "pg" }
private enum Level: Int32, PostgresEnum { case low = 1, high = 9 }

@Suite struct PostgresEnumTests {
    @Test func labelsAndNumbersGoBothWays() throws {
        #expect(try decode(Rating.self, .text, text: "pg") == .parental)
        #expect(try decode(Rating.self, PostgresTypeOID(rawValue: 20000), text: "g") == .general)
        #expect(try Rating.parental.postgresParameter() == "pg".postgresParameter())
        #expect(try decode(Level.self, .int2, text: "9") == .high)
        #expect(try Level.low.postgresParameter() == Int32(1).postgresParameter())
        #expect(try Level?.none.postgresParameter() == .null(.int4))
    }

    @Test func unknownRawValuesAreErrorsThatListTheCases() throws {
        let error = try #require(failure(Rating.self, .text, .text, Array("x-rated".utf8)))
        #expect(error.code == .unknownCase)
        #expect(error.description.contains("g, pg of Rating"))
        #expect(!error.description.contains("x-rated"))
        #expect(failure(Level.self, .int4, .text, Array("2".utf8))?.code == .unknownCase)
    }

    @Test func arraysOfThemAreArraysOfRawValues() throws {
        #expect(try [Rating.general].postgresParameter() == ["g"].postgresParameter())
        #expect(try [Level.low, .high].postgresParameter() == [Int32(1), 9].postgresParameter())
        #expect(try decode([Level].self, .int4Array, text: "{1,9}") == [.low, .high])
    }
}
