import PostgresValues
import ReactorTesting
import Testing

@testable import Postgres

@Suite struct PreparedStatementsTests {
    func sql(_ text: String) -> SQL { SQL(raw: text) }

    /// Uses a statement; prepares it as the session would at its second use.
    @discardableResult
    func use(_ cache: inout PreparedStatements, _ text: String) -> PreparedStatement? {
        let sql = sql(text)
        switch cache.use(sql, sql.fingerprint) {
        case .first: return nil
        case .again: return cache.prepare(sql.fingerprint, segment: 0)
        case .prepared(let statement): return statement
        }
    }

    @Test func aStatementIsNewThenSeenOnceThenPrepared() {
        var cache = PreparedStatements(capacity: 2, prefix: "s")
        guard case .first = cache.use(sql("a"), sql("a").fingerprint) else { return #expect(Bool(false)) }
        guard case .again = cache.use(sql("a"), sql("a").fingerprint) else { return #expect(Bool(false)) }
        let statement = cache.prepare(sql("a").fingerprint, segment: 0)
        guard case .prepared(let found) = cache.use(sql("a"), sql("a").fingerprint) else {
            return #expect(Bool(false))
        }
        #expect(found === statement && found.name == "s1")
    }

    @Test func theLeastRecentlyUsedLeavesAndIsCondemned() {
        var cache = PreparedStatements(capacity: 2, prefix: "s")
        for text in ["a", "a", "b", "b", "a"] { use(&cache, text) }
        use(&cache, "c")
        #expect(cache.takeCondemned() == ["s2"] && cache.condemned.isEmpty)
        #expect(use(&cache, "a")?.name == "s1" && cache.count == 2)
    }

    @Test func oneThatWasUsedOnlyOnceLeavesNothingToDeallocate() {
        var cache = PreparedStatements(capacity: 3, prefix: "s")
        for number in 0..<1000 { use(&cache, "\(number)") }
        #expect(cache.count == 3 && cache.condemned.isEmpty)
        #expect(use(&cache, "998") != nil && use(&cache, "1") == nil)
    }

    @Test func aLongHistoryMatchesThatOfANaiveCache() {
        let seed = UInt64.random(in: .min ... .max)
        print("PreparedStatementsTests seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var cache = PreparedStatements(capacity: 5, prefix: "s")
        var naive: [String] = []
        for _ in 0..<5000 {
            let text = "SELECT \(Int.random(in: 0..<9, using: &random))"
            let isKnown: Bool
            if case .first = cache.use(sql(text), sql(text).fingerprint) {
                isKnown = false
            } else {
                isKnown = true
            }
            #expect(isKnown == naive.contains(text))
            naive.removeAll { $0 == text }
            naive.append(text)
            if naive.count > 5 { naive.removeFirst() }
            #expect(cache.count == naive.count)
        }
    }

    @Test func aStatementThatTheServerForgotIsNotDeallocated() {
        var cache = PreparedStatements(capacity: 2, prefix: "s")
        use(&cache, "a")
        if let statement = use(&cache, "a") { cache.forget(statement, sql("a").fingerprint, isKnown: false) }
        #expect(cache.condemned.isEmpty && use(&cache, "a") == nil)
        if let statement = use(&cache, "a") { cache.forget(statement, sql("a").fingerprint, isKnown: true) }
        #expect(cache.condemned == ["s2"])
    }

    @Test func theTypesOfTheValuesBelongToTheKey() {
        let one: SQL = "SELECT \(Int32(1))"
        let other: SQL = "SELECT \(Int64(1))"
        #expect(one.text == other.text && one.fingerprint != other.fingerprint)
    }

    /// Even when chance gave two statements one fingerprint.
    @Test func ofTwoStatementsWithOneFingerprintTheLaterIsKept() {
        var cache = PreparedStatements(capacity: 2, prefix: "s")
        guard case .first = cache.use(sql("a"), 7), case .again = cache.use(sql("a"), 7) else {
            return #expect(Bool(false))
        }
        _ = cache.prepare(7, segment: 0)
        guard case .first = cache.use(sql("b"), 7) else { return #expect(Bool(false)) }
        #expect(cache.condemned == ["s1"] && cache.count == 1)
    }

    @Test(arguments: 0..<40) func everyByteCountsForTheFingerprint(_ position: Int) {
        var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 40)
        let before = SQL(raw: String(decoding: bytes, as: UTF8.self)).fingerprint
        bytes[position] = UInt8(ascii: "y")
        #expect(SQL(raw: String(decoding: bytes, as: UTF8.self)).fingerprint != before)
    }
}
