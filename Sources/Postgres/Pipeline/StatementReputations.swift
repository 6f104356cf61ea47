import PostgresValues

/// What is known of statements by their texts: whether they may share a connection, and whether they were quick of late.
struct StatementReputations {
    private struct Reputation {
        let isShareable: Bool
        /// Rises with each quick run to 3 and falls with each slow one by 2, to −1: a statement is not condemned for one moment in
        /// which the machine was busy.
        var standing: Int8 = 0
    }

    private var known: [UInt64: Reputation] = [:]
    private let isShareable: (String) -> Bool

    /// - Parameter isShareable: whether a statement of that text may share a connection; asked once for each text. One that the
    ///   session will refuse may not.
    init(isShareable: @escaping (String) -> Bool) { self.isShareable = isShareable }

    /// Whether the statement may share a connection.
    mutating func isShareable(_ sql: SQL, _ fingerprint: UInt64) -> Bool {
        reputation(sql, fingerprint).isShareable
    }

    /// Whether it may, and was quick of late.
    mutating func isShareableAndQuick(_ sql: SQL, _ fingerprint: UInt64) -> Bool {
        let reputation = reputation(sql, fingerprint)
        return reputation.isShareable && reputation.standing > 0
    }

    /// Whether it was quick of late.
    func isQuick(_ fingerprint: UInt64) -> Bool { (known[fingerprint]?.standing ?? 0) > 0 }

    /// Notes whether a run was quick.
    mutating func note(_ fingerprint: UInt64, isQuick: Bool) {
        guard let standing = known[fingerprint]?.standing else { return }
        // Most are as good as can be already.
        if isQuick && standing == 3 { return }
        known[fingerprint]?.standing = isQuick ? standing + 1 : max(-1, standing - 2)
    }

    private mutating func reputation(_ sql: SQL, _ fingerprint: UInt64) -> Reputation {
        if let reputation = known[fingerprint] { return reputation }
        // A bound for programs that write values into their statements.
        if known.count >= 8192 { known.removeAll(keepingCapacity: true) }
        let reputation = Reputation(isShareable: sql.misplacedValue == nil && isShareable(sql.text))
        known[fingerprint] = reputation
        return reputation
    }
}
