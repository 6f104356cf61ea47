import ReactorCore

/// How a transaction ended.
enum TransactionOutcome {
    case committed, rolledBack
    /// The connection was lost during COMMIT, or the body has ended the transaction by statements of its own.
    case unknown
}

/// Something to be done once a transaction has ended in one of two ways.
struct AfterTransaction {
    let outcome: TransactionOutcome
    let action: @ReactorActor () async -> Void
}

extension PostgresTransaction {
    /// Has `action` run once the *outermost* transaction has committed. Never waits.
    ///
    /// Actions run one after the other, in the order in which they were given, before `transaction { … }` returns and after
    /// its connection has gone back; a cancelled task does not cancel them. Those given inside a savepoint that is rolled
    /// back are dropped. When the connection is lost during COMMIT, or the body runs a COMMIT or ROLLBACK itself, nobody knows, and
    /// no action runs. Sources: Django's `transaction.on_commit`.
    public func onCommit(_ action: @escaping @ReactorActor () async -> Void) {
        guard isOpen else { return }
        afterwards.append(AfterTransaction(outcome: .committed, action: action))
    }

    /// Has `action` run once this transaction, or one around it, has been rolled back. Never waits. As `onCommit(_:)`
    /// otherwise; on a savepoint it runs as soon as that is undone.
    public func onRollback(_ action: @escaping @ReactorActor () async -> Void) {
        guard isOpen else { return }
        afterwards.append(AfterTransaction(outcome: .rolledBack, action: action))
    }

    /// Runs what is due; parks the calling task until it is done.
    func runAfterwards() async {
        let due = due
        self.due = []
        guard !due.isEmpty else { return }
        // In a task of its own: a cancelled transaction's clean-up can still wait.
        await Reactor.current.startTask { for next in due { await next.action() } }.value
    }
}
