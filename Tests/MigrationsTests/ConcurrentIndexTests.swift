import Testing

@testable import Migrations

@Suite struct ConcurrentIndexTests {
    @Test(arguments: [
        ("create index concurrently i on t (a)", "i", "t"),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS Films_Title ON ONLY public.Films (title)",
            "films_title", "public.Films"
        ),
        (
            #"create index concurrently "I ""x" on "My Schema" . "My;Table" using gin (a)"#, #"I "x"#,
            #""My Schema"."My;Table""#
        ),
    ]) func findsIndexAndTable(_ sql: String, _ name: String, _ table: String) throws {
        let index = try #require(try StatementSplitter.split(sql).first.flatMap(ConcurrentIndex.init))
        #expect(index.name == name)
        #expect(index.table == table)
    }

    @Test(arguments: [
        "create index i on t (a)", "create index concurrently on t (a)", "drop index concurrently i",
        "reindex index concurrently i",
    ]) func knowsWhatIsNone(_ sql: String) throws {
        #expect(try StatementSplitter.split(sql).first.flatMap(ConcurrentIndex.init) == nil)
    }
}
