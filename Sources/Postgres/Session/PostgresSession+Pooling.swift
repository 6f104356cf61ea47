import Logging

extension PostgresConfiguration {
    /// How many statements a session may prepare.
    var statementCapacity: Int { pooling == .transactionPooled ? 0 : statementCacheSize }

    /// What a pooler in transaction mode would refuse at the start, with reasons that help less.
    func checkPooling() throws(PostgresError) {
        try check()
        guard pooling == .transactionPooled, let options = startupOptions else { return }
        throw PostgresError(
            .invalidConfiguration,
            "a pooler in transaction mode takes no startup options (\(options.prefix(80))): set them for the role by ALTER "
                + "ROLE … SET, or by SET LOCAL in each transaction")
    }
}

extension PostgresSession {
    /// Refuses what would stay in a session that is not ours alone.
    func checkKeepsNothing(_ text: String) throws(PostgresError) {
        guard configuration.pooling == .transactionPooled, SessionDirt.leavesSomething(text) else { return }
        let beginning = oneLine(String(text.prefix(60)))
        throw PostgresError(
            .needsSession,
            "\"\(beginning)\" leaves something behind in its session, and behind a pooler in transaction mode the next "
                + "statement may run in another: use SET LOCAL, transaction-level advisory locks, or a connection "
                + "that goes past the pooler")
    }

    /// A statement that this session has prepared is not there: somebody changes the sessions behind its back.
    func suspectPooler() {
        guard configuration.pooling == .session, !hasSuspectedPooler else { return }
        hasSuspectedPooler = true
        configuration.logger.warning(
            "a prepared statement has vanished from \(configuration.redactedDescription): if that is a pooler in transaction mode, say pooling = .transactionPooled"
        )
    }
}
