import Testing

@testable import Postgres

@Suite struct ConnectFailureTextTests {
    @Test func theSQLStateIsTakenOutAndDetailsAreDropped() {
        let (message, report) = ConnectFailureText.parse(
            """
            connection to server on socket "/tmp/.s.PGSQL.5432" failed: FATAL:  28P01: password authentication failed for user "app"
            DETAIL:  Connection matched pg_hba.conf line 1
            LOCATION:  auth_failed, auth.c:326

            """)
        #expect(report?.sqlState == .invalidPassword)
        #expect(
            message
                == "connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: FATAL: password authentication failed "
                + "for user \"app\"")
    }

    @Test func withoutAServerItIsFoldedIntoOneLine() {
        let (message, report) = ConnectFailureText.parse(
            "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server running?\n"
        )
        #expect(report == nil)
        #expect(
            message
                == "connection to server at \"127.0.0.1\", port 1 failed: Connection refused. Is the server running?"
        )
    }

    @Test func aLocalisedSeverityChangesNothing() {
        let (_, report) = ConnectFailureText.parse(
            "Verbindung gescheitert: SCHWERWIEGEND:  3D000: Datenbank fehlt\n")
        #expect(report?.sqlState == .invalidCatalogName && report?.message == "Datenbank fehlt")
    }
}
