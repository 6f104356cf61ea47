import Testing

@testable import Postgres

@Suite struct PostgresErrorTests {
    func error(_ state: String, _ message: String = "m", function: String? = nil) -> PostgresError {
        var report = PostgresServerReport(
            sqlState: PostgresSQLState(rawValue: state), severity: "ERROR", message: message)
        report.detail = "Key (email)=(eve@example.org) already exists."
        report.position = 8
        report.sourceFunction = function
        return PostgresError(.server, message, server: report)
    }

    @Test func theDescriptionHasStateMessageAndPlaceButNoRow() {
        let text = error("23505", "duplicate key value violates unique constraint \"email\"").description
        #expect(
            text
                == "ERROR 23505: duplicate key value violates unique constraint \"email\" (at character 8)")
        #expect(error("23505").debugDescription.contains("eve@example.org"))
    }

    @Test func dataErrorsDoNotQuoteTheirValue() {
        let text = error("22P02", "invalid input syntax for type integer: \"4711-secret\"").description
        #expect(text == "ERROR 22P02: invalid input syntax for type integer: \"…\" (at character 8)")
    }

    @Test(arguments: [
        ("22P02", "ungültige Eingabesyntax für Typ integer: »4711-secret«"),
        ("22P02", "syntaxe en entrée invalide pour le type integer : « 4711-secret »"),
        ("22P02", "invalid input syntax for type text: \"4711 \"secret\" «x\""),
        ("22007", "invalid input syntax for type date: \"4711-secret"),
        ("22021", "invalid byte sequence for encoding \"UTF8\": 0x47 0x11"),
        (
            "22P05",
            "character with byte sequence 0x47 0x11 0xac in encoding \"UTF8\" has no equivalent in \"LATIN1\""
        ),
    ])
    func norWhateverTheServersLanguage(state: String, message: String) {
        let text = error(state, message).description
        #expect(!text.contains("secret") && !text.contains("47") && !text.contains("11"), "\(text)")
        #expect(text.contains("\"…\""))
    }

    @Test(arguments: [
        ("40001", true), ("40P01", true), ("55P03", true), ("26000", true), ("23505", false),
        ("57014", false),
        ("0A000", false),
    ])
    func whatMayBeTriedAgain(state: String, expected: Bool) {
        #expect(error(state).isRetrySafe == expected)
    }

    @Test func aStalePlanIsKnownByTheFunctionThatNoticedIt() {
        #expect(error("0A000", function: "RevalidateCachedQuery").isStalePlan)
        #expect(!error("0A000", function: "transformExpr").isStalePlan)
    }

    @Test func severalLinesBecomeOne() {
        #expect(oneLine("failed\n\tIs it running?\n\nNo.\n") == "failed. Is it running? No.")
    }
}
