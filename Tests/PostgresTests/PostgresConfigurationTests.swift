import Testing

@testable import Postgres

@Suite struct PostgresConfigurationTests {
    @Test(arguments: [
        ("postgres://app:secret@db.example:5433/shop?sslmode=require", "postgres://app@db.example:5433/shop"),
        ("postgresql://app:se%40cret@a:1,b:2/shop", "postgres://app@a:1,b:2/shop"),
        (
            "host=/tmp user=app password='sec ret' dbname=shop port=5432",
            "postgres://app@/shop?host=/tmp&port=5432"
        ),
        ("postgres://app@/shop?host=/run/x&password=secret", "postgres://app@/shop?host=/run/x&port=5432"),
    ])
    func descriptionsNameThePlaceWithoutThePassword(text: String, expected: String) throws {
        let configuration = try PostgresConfiguration(text)
        #expect(configuration.redactedDescription == expected)
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!"\(configuration) \(String(reflecting: configuration)) \(dumped)".contains("sec"))
    }

    @Test(arguments: [
        "", "   ", "nonsense", "mysql://app:secret@h/d", "postgres//app:secret@h/d",
        "postgres://app:sec@ret@h/d",
        "postgres://app:secret%zz@h/d", "postgres://app:secret@h/d?nonsense=secret",
        "host=h password='secret",
        "host=h secret", "host=h passwort=secret", "postgres://app:secret@[::1/d",
        "postgres://app:secret@h:port/d?connect_timeout=secret",
    ])
    func aWrongURLIsOneLineWithoutThePassword(text: String) throws {
        let error = try #require(throws: PostgresError.self) { _ = try PostgresConfiguration(text) }
        #expect(error.code == .invalidConfiguration)
        #expect(!error.description.contains("secret") && !error.description.contains("ret@"))
        #expect(!error.description.contains("\n") && error.description.count > 10)
    }

    @Test func connectTimeoutIsReadInSecondsAndZeroMeansNone() throws {
        #expect(try PostgresConfiguration("host=h connect_timeout=3").connectTimeout == .seconds(3))
        #expect(try PostgresConfiguration("host=h connect_timeout=0").connectTimeout == nil)
        #expect(try PostgresConfiguration("host=h").connectTimeout == .seconds(10))
    }

    @Test func anotherDatabaseOfTheSameServer() throws {
        let configuration = try PostgresConfiguration("postgres://app@h/shop").withDatabase("other")
        #expect(configuration.redactedDescription == "postgres://app@h:5432/other")
    }
}
