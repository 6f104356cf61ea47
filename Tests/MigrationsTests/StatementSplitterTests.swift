import Testing

@testable import Migrations

@Suite struct StatementSplitterTests {
    /// SQL, and its statements.
    static let golden: [(sql: String, statements: [String])] = [
        ("", []),
        (" \n\t-- only a comment\n/* and /* a nested */ one */ ", []),
        (";;; ;", []),
        ("select 1", ["select 1"]),
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("-- head\nselect /* ; */ 1 -- ;\n + 2 ; -- tail", ["select /* ; */ 1 -- ;\n + 2"]),
        ("select 'a;b', 'it''s;', '\\'; select 2", ["select 'a;b', 'it''s;', '\\'", "select 2"]),
        (#"select E'\';', e'\\'; select 2"#, [#"select E'\';', e'\\'"#, "select 2"]),
        ("select E'a'\n 'b\\';c'; select 2", ["select E'a'\n 'b\\';c'", "select 2"]),
        ("select E'a' -- more\n 'b\\';c'; select 2", ["select E'a' -- more\n 'b\\';c'", "select 2"]),
        ("select E'a' , 'b\\'; select 2", ["select E'a' , 'b\\'", "select 2"]),
        ("select namee'\\'; select 2", ["select namee'\\'", "select 2"]),
        (
            #"select U&'d\0061t\+000061;', U&"d;"; select 2"#,
            [#"select U&'d\0061t\+000061;', U&"d;""#, "select 2"]
        ),
        (#"select "a;b""c;" from t; select 2"#, [#"select "a;b""c;" from t"#, "select 2"]),
        (
            "select $$a;b$$; select $t$ $$ ; $u$ ; $t$; x",
            ["select $$a;b$$", "select $t$ $$ ; $u$ ; $t$", "x"]
        ),
        ("select a$b$ ; c$b$", ["select a$b$", "c$b$"]),
        ("select $1; select $2$x$;$x$", ["select $1", "select $2$x$;$x$"]),
        ("select $é$;$é$; select 'ü;'", ["select $é$;$é$", "select 'ü;'"]),
        ("select 1 /*/ ; */ + 1; select 5 *-1;", ["select 1 /*/ ; */ + 1", "select 5 *-1"]),
        (
            "create rule r as on insert to t do (select 1; select 2); select 3",
            ["create rule r as on insert to t do (select 1; select 2)", "select 3"]
        ),
        (
            """
            create function f() returns int language sql begin atomic
              select case when true then 1 else 2 end; select 2; end; select 3
            """,
            [
                """
                create function f() returns int language sql begin atomic
                  select case when true then 1 else 2 end; select 2; end
                """, "select 3",
            ]
        ),
        (
            "create or replace procedure p() begin atomic insert into t values (1); end; select 1",
            ["create or replace procedure p() begin atomic insert into t values (1); end", "select 1"]
        ),
        (
            "create function f() returns int as $$ begin; return 1; end $$ language plpgsql; select 1",
            ["create function f() returns int as $$ begin; return 1; end $$ language plpgsql", "select 1"]
        ),
        ("create table begin_t (a int); select 1", ["create table begin_t (a int)", "select 1"]),
        ("select case when a then 1 end; select 2", ["select case when a then 1 end", "select 2"]),
        ("do $do$ begin perform 1; end $do$; select 2", ["do $do$ begin perform 1; end $do$", "select 2"]),
    ]

    @Test(arguments: golden) func splitsIntoStatements(_ sql: String, _ statements: [String]) throws {
        #expect(try StatementSplitter.split(sql).map(\.text) == statements)
    }

    @Test(arguments: [
        ("select 1;\n  select 'a", "2:10: unterminated quoted string"),
        ("select \"a", "1:8: unterminated quoted identifier"),
        ("\n\nselect E'a\\'", "3:8: unterminated quoted string"),
        ("select 'é'; /* /* */", "1:13: unterminated comment"),
        ("do $a$ $b$", "1:4: unterminated dollar-quoted string"),
        ("select 1;\n\\connect other", "2:1: psql commands (\\…) are not SQL and are not understood here"),
        (
            "copy t (a) from stdin;\n1\n",
            "1:1: COPY … FROM STDIN needs data that a migration cannot send; write INSERT … VALUES"
        ),
    ]) func saysWhereItCannotSplit(_ sql: String, _ expected: String) {
        let problem = #expect(throws: SQLSyntaxProblem.self) { try StatementSplitter.split(sql) }
        #expect(problem.map { "\($0.position): \($0.message)" } == expected)
    }

    @Test func copyFromAFileOrAQueryNamedStdinIsLeftAlone() throws {
        #expect(
            try StatementSplitter.split("copy t from '/tmp/x'; copy (select * from stdin) to '/tmp/y'").count
                == 2)
    }

    @Test func statementsKnowTheirPlaceInTheFile() throws {
        let statements = try StatementSplitter.split(
            "  -- é\n  select 'é'; /* x */ select 2,\n nope", startingAt: SourcePosition(line: 10))
        #expect(
            statements.map(\.start) == [
                SourcePosition(line: 11, column: 3), SourcePosition(line: 11, column: 23),
            ])
        // As the server counts: characters of the statement, from 1.
        #expect(statements[1].place(ofCharacter: 1) == statements[1].start)
        #expect(statements[1].place(ofCharacter: 12) == SourcePosition(line: 12, column: 2))
        #expect(statements[0].place(ofCharacter: 10) == SourcePosition(line: 11, column: 12))
    }

    @Test func normalisingDropsCommentsAndSpacingOutsideQuotesOnly() throws {
        let statement = try #require(
            try StatementSplitter.split("select /* c */ 1,\n\t'a  -- b' -- tail\n  , $$ x\n  -- y $$").first)
        #expect(statement.normalized == "select 1, 'a  -- b' , $$ x\n  -- y $$")
    }

    @Test(arguments: [
        ("begin", true), ("COMMIT", true), ("rollback", true), ("rollback to savepoint a", false),
        ("rollback work to a", false), ("savepoint a", false), ("release a", false),
        ("start transaction", true),
        ("prepare transaction 'x'", true), ("prepare p as select 1", false), ("end", true), ("abort", true),
        ("select 1", false), ("(select 1)", false),
    ]) func transactionControlIsRecognised(_ sql: String, _ expected: Bool) throws {
        #expect(try StatementSplitter.split(sql).first?.isTransactionControl == expected)
    }

    @Test(arguments: [
        ("create unique index concurrently if not exists i on t (a)", "CREATE INDEX CONCURRENTLY"),
        ("Drop Index /* c */ Concurrently i", "DROP INDEX CONCURRENTLY"),
        ("reindex (verbose) table concurrently t", "REINDEX CONCURRENTLY"), ("vacuum t", "VACUUM"),
        ("create database d", "CREATE DATABASE"), ("alter system set a = 1", "ALTER SYSTEM"),
        ("create index i on t (concurrently)", nil), ("refresh materialized view concurrently v", nil),
        ("alter type t add value 'x'", nil), ("create table t ()", nil),
    ]) func commandsRefusedInATransactionAreRecognised(_ sql: String, _ expected: String?) throws {
        #expect(try StatementSplitter.split(sql).first?.commandRefusedInTransaction == expected)
    }
}
