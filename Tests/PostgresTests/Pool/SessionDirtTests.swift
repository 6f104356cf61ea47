import Testing

@testable import Postgres

@Suite struct SessionDirtTests {
    static func dirt(after text: String, tag: String = "SELECT 1") -> SessionDirt {
        var dirt = SessionDirt()
        dirt.note(text)
        tag.withCString { dirt.note(tag: $0) }
        return dirt
    }

    @Test(arguments: [
        ("SET search_path = shop", "SET"), ("set session x.y = 1", "SET"), ("RESET ALL", "RESET"),
        ("SET LOCAL a = 1; SET b = 2", "SET"), ("LISTEN orders", "LISTEN"), ("LOAD 'x'", "LOAD"),
        ("PREPARE p AS SELECT 1", "PREPARE"), ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "DECLARE CURSOR"),
        ("SELECT pg_advisory_lock(1)", "SELECT 1"), ("select PG_TRY_ADVISORY_LOCK(1)", "SELECT 1"),
        ("SELECT pg_advisory_lock_shared(1)", "SELECT 1"),
        ("SELECT 1, pg_try_advisory_lock_shared($1)", "SELECT 1"),
        ("SELECT set_config('a.b', $1, false)", "SELECT 1"),
        ("SELECT set_config('a.b', 'x', $1)", "SELECT 1"),
        ("CREATE TEMP TABLE t (n int)", "CREATE TABLE"),
        ("create temporary view v as select 1", "CREATE VIEW"),
        ("SELECT 1 AS n INTO TEMP t", "SELECT 1"),
        ("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "CREATE VIEW"),
        ("CREATE TABLE pg_temp.t (n int)", "CREATE TABLE"),
        ("CREATE LOCAL TEMP TABLE t (n int)", "CREATE TABLE"),
        ("DO $$ BEGIN PERFORM pg_advisory_lock(1); END $$", "DO"),
    ])
    func isLeft(text: String, tag: String) { #expect(Self.dirt(after: text, tag: tag).isDirty) }

    @Test(arguments: [
        ("SELECT 1", "SELECT 1"), ("INSERT INTO t VALUES ($1)", "INSERT 0 1"), ("ROLLBACK", "ROLLBACK"),
        ("SET LOCAL work_mem = '1MB'", "SET"), ("SET TRANSACTION READ ONLY", "SET"),
        ("SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS"), ("LOCK TABLE t", "LOCK TABLE"),
        ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"),
        ("REFRESH MATERIALIZED VIEW v", "REFRESH MATERIALIZED VIEW"),
        ("DECLARE c CURSOR FOR SELECT 1", "DECLARE CURSOR"), ("SELECT pg_advisory_xact_lock(1)", "SELECT 1"),
        ("SELECT set_config('a.b', $1, true)", "SELECT 1"), ("SELECT temp FROM weather", "SELECT 1"),
        ("UPDATE weather SET temp = 3", "UPDATE 1"), ("CREATE TABLE t (temp int)", "CREATE TABLE"), ("", ""),
        ("SELECT my_set_config('a', 'b', false)", "SELECT 1"),
    ])
    func isNotLeft(text: String, tag: String) { #expect(!Self.dirt(after: text, tag: tag).isDirty) }

    @Test func aSuspiciousStatementIsKnownAgainWhenItComesPrepared() {
        var dirt = Self.dirt(after: "SELECT pg_advisory_lock($1)")
        dirt.clear()
        dirt.note("SELECT 1", isKnown: true)
        #expect(!dirt.isDirty)
        dirt.note("SELECT pg_advisory_lock($1)", isKnown: true)
        #expect(dirt.isDirty)
    }

    @Test func manySuspiciousStatementsTakeNoMoreRoomAndAreStillFound() {
        var dirt = SessionDirt()
        for number in 0..<1000 { dirt.note("SELECT pg_advisory_lock(\(number))") }
        for number in [0, 255, 256, 999] {
            dirt.clear()
            dirt.note("SELECT pg_advisory_lock(\(number))", isKnown: true)
            #expect(dirt.isDirty, "\(number)")
        }
        dirt.clear()
        dirt.note("SELECT 1", isKnown: true)
        #expect(!dirt.isDirty)
    }

    @Test func scriptsAreNotRemembered() {
        var dirt = SessionDirt()
        dirt.note("SELECT pg_advisory_lock(1)", mayRepeat: false)
        #expect(dirt.isDirty)
        dirt.clear()
        dirt.note("SELECT pg_advisory_lock(1)", isKnown: true)
        #expect(!dirt.isDirty)
    }

    @Test func aDiscardAllOfABorrowerTakesWhatOnConnectHadSetToo() {
        var dirt = Self.dirt(after: "DISCARD ALL", tag: "DISCARD ALL")
        #expect(dirt.isDirty)
        dirt.clear()
        #expect(!dirt.isDirty)
    }

    @Test func heldCursorsAreKnownUntilTheyAreClosed() {
        for tag in ["CLOSE CURSOR ALL", "DISCARD ALL"] {
            var dirt = SessionDirt()
            dirt.cursorIsHeld("cursor_1")
            tag.withCString { dirt.note(tag: $0) }
            #expect(dirt.heldCursors.isEmpty)
        }
        var dirt = SessionDirt()
        dirt.cursorIsHeld("cursor_1")
        "CLOSE CURSOR".withCString { dirt.note(tag: $0) }
        #expect(dirt.heldCursors == ["cursor_1"] && !dirt.isDirty)
        dirt.cursorIsClosed("cursor_1")
        #expect(dirt.heldCursors.isEmpty)
    }
}
