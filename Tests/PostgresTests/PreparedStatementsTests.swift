import PostgresValues
import Testing

@testable import Postgres

@Suite struct PreparedStatementsTests {
    func key(_ text: String) -> PreparedStatements.Key { PreparedStatements.Key(SQL(raw: text)) }
    func statement(_ name: String) -> PreparedStatements.Statement {
        PreparedStatements.Statement(name: name, columns: PostgresColumns(), format: .text)
    }

    @Test func aStatementIsNewThenSeenOnceThenPrepared() {
        var cache = PreparedStatements(capacity: 2)
        guard case nil = cache.use(key("a")) else { return #expect(Bool(false)) }
        guard case .seenOnce = cache.use(key("a")) else { return #expect(Bool(false)) }
        cache.remember(statement("s1"), for: key("a"))
        guard case .prepared(let found) = cache.use(key("a")) else { return #expect(Bool(false)) }
        #expect(found.name == "s1")
    }

    @Test func theLeastRecentlyUsedLeavesAndIsCondemned() {
        var cache = PreparedStatements(capacity: 2)
        cache.remember(statement("s1"), for: key("a"))
        cache.remember(statement("s2"), for: key("b"))
        _ = cache.use(key("a"))
        _ = cache.use(key("c"))
        #expect(cache.condemned == ["s2"])
        guard case .prepared = cache.use(key("a")) else { return #expect(Bool(false)) }
    }

    @Test func theTypesOfTheValuesBelongToTheKey() {
        let one: SQL = "SELECT \(Int32(1))"
        let other: SQL = "SELECT \(Int64(1))"
        #expect(one.text == other.text && PreparedStatements.Key(one) != PreparedStatements.Key(other))
    }
}
