import Testing

@testable import Postgres

@Suite struct StatementKindTests {
    @Test(arguments: [
        ("SELECT 1", "select"), ("  \n\tinsert into t", "insert"), ("-- a\nUPDATE t", "update"),
        ("/* SELECT /* nested */ */ COPY t", "copy"), ("((SELECT 1))", "select"), ("", ""), ("-- only", ""),
        ("/* open", ""), ("; commit", "commit"), ("WITH x AS (SELECT 1)", "with"), ("1", ""),
    ])
    func theFirstWordIsFound(_ text: String, _ word: String) {
        #expect(StatementKind.firstWord(text) == word)
    }

    @Test(arguments: [
        "SELECT 1", "insert into readings (temperature) values ($1)", "WITH a AS (SELECT 1) SELECT * FROM a",
        "SELECT temp FROM weather", "DELETE FROM t", "VALUES (1)", "SELECT * FROM local",
    ])
    func plainStatementsAreShared(_ text: String) { #expect(StatementKind.isShareable(text)) }

    @Test(arguments: [
        "SET x = 1", "LISTEN a", "COPY t FROM STDIN", "BEGIN", "DECLARE c CURSOR FOR SELECT 1",
        "CREATE TEMP TABLE t ()",
        "SELECT pg_advisory_lock(1)", "select PG_TRY_ADVISORY_LOCK(1)", "SELECT 1 INTO TEMP t",
        "select 1\ninto temporary\tt",
        "SELECT set_config('a', 'b', false)", "PREPARE a AS SELECT 1", "INSERT INTO pg_temp.t VALUES (1)",
        "VACUUM", "",
    ])
    func whatTouchesTheSessionIsNot(_ text: String) { #expect(!StatementKind.isShareable(text)) }

    @Test(arguments: [
        "SELECT 1", "  select * from a where b = $1", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1)",
        "TABLE t",
        "(SELECT 1) UNION (SELECT 2)", "SELECT substring(a FROM 1 FOR 2) FROM updates",
    ])
    func plainReadsAreKnown(_ text: String) { #expect(StatementKind.isPlainRead(text)) }

    @Test(arguments: [
        "INSERT INTO t VALUES (1)", "SELECT 1 FROM t FOR UPDATE", "SELECT 1 FROM t FOR NO KEY UPDATE",
        "select 1 from t for/* */share", "SELECT 1 FROM t FOR KEY SHARE", "SELECT 1 INTO t",
        "WITH a AS (UPDATE t SET n = 1 RETURNING n) SELECT * FROM a",
        "WITH a AS (MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE) SELECT 1", "SHOW work_mem",
        "SELECT pg_advisory_xact_lock(1)", "FETCH c", "EXPLAIN SELECT 1", "",
    ])
    func whatWritesOrLocksIsNoPlainRead(_ text: String) { #expect(!StatementKind.isPlainRead(text)) }
}
