import ReactorTesting
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
        // The password has a slash or a question mark in it.
        "postgres://app:secret/x@h/d", "postgres://app:12secret?x@h/d", "postgres://app:secret\0@h/d",
        // What libpq stumbles over has a quote in it.
        "host=h password=a b\"secret", "host=h password=\"my secret\" user=x", "host=h pa\"secret=\"x",
    ])
    func aWrongURLIsOneLineWithoutThePassword(text: String) throws {
        let error = try #require(throws: PostgresError.self) { _ = try PostgresConfiguration(text) }
        #expect(error.code == .invalidConfiguration)
        #expect(!error.description.contains("secret") && !error.description.contains("ret@"))
        #expect(!error.description.contains("\n") && error.description.count > 10)
    }

    @Test(arguments: [
        ("host=h user=app password=secret://x dbname=d", "postgres://app@h:5432/d"),
        ("password='s://' host=h user=app dbname=d", "postgres://app@h:5432/d"),
        ("postgres://app:a,b:c@h:1,i:2/d", "postgres://app@h:1,i:2/d"),
        ("postgres://app:x@[::1]:7,h/d", "postgres://app@::1:7,h:/d"),
    ])
    func whatLooksLikeAnotherPartOfAURLInsideAPasswordIsThePasswords(text: String, expected: String) throws {
        #expect(try PostgresConfiguration(text).redactedDescription == expected)
    }

    /// To libpq it is one that is not given, and what is not given is as safe as can be.
    @Test(arguments: ["postgres://h/d?sslmode=", "postgres://h/d?sslmode=&sslrootcert="])
    func anEmptyValueIsNone(text: String) throws {
        var configuration = try PostgresConfiguration(text) { _ in nil }
        configuration["application_name"] = ""
        #expect(configuration["sslmode"] == nil && configuration["application_name"] == nil)
        configuration["sslmode"] = ""
        let settings = try ConnectionAttempt.all(of: configuration)[0].settings(
            of: configuration, address: "192.0.2.1")
        #expect(settings.contains { $0 == ("sslmode", "verify-full") })
        #expect(!settings.contains { $0.1.isEmpty })
    }

    @Test(arguments: [
        ("sslmode", "verify"), ("sslmode", "VERIFY-FULL"), ("target_session_attrs", "master"),
        ("gssencmode", "no"), ("channel_binding", "on"), ("passwort", "x"), ("port", "0"), ("port", "65536"),
        ("port", "1,x"), ("password", "a\0b"), ("application_name", "a\0b"),
    ])
    func whatLibpqRefusesIsRefusedAtOnce(keyword: String, value: String) async throws {
        var configuration = try PostgresConfiguration("host=/nowhere,/nowhere dbname=d user=app")
        configuration[keyword] = value
        try await withReactor { [configuration] _ in
            // A pool would try a failed connect again until its borrower's time is over.
            let pool = PostgresPool(configuration, .init(acquireTimeout: .seconds(600)))
            let error = try await failure { _ = try await pool.execute("SELECT 1") }
            #expect(error.code == .invalidConfiguration && error.message.contains(keyword), "\(error)")
            await pool.close()
        }
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
