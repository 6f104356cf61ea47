import CLibPQ
import Greenlets
import PostgresValues
import ReactorCore

extension PostgresTransaction {
    /// Begins a transaction. `onEnd` is called once, when it has ended, not when BEGIN fails.
    static func begin(
        _ options: PostgresTransactionOptions, on session: PostgresSession,
        onEnd: (@ReactorActor () -> Void)? = nil
    ) async throws -> PostgresTransaction {
        // Until then nobody knows whether there is a transaction.
        await session.waitForCleanUp()
        guard session.transactionStatus != PQTRANS_INTRANS, session.transactionStatus != PQTRANS_INERROR
        else {
            throw PostgresError(
                .connectionBusy, "the connection is in a transaction; nest by calling transaction on that one"
            )
        }
        try await session.forgetCondemned()
        _ = try await session.script(options.begin)
        return PostgresTransaction(session, onEnd: onEnd)
    }

    /// Begin, body, commit; roll back when any of the latter two throws; again when the server wants that.
    static func run<T: Sendable>(
        _ options: PostgresTransactionOptions, _ begin: @ReactorActor () async throws -> PostgresTransaction,
        _ body: @ReactorActor (PostgresTransaction) async throws -> T
    ) async throws -> T {
        var run = 1
        while true {
            let transaction = try await begin()
            do {
                let value = try await body(transaction)
                try await transaction.commit()
                await transaction.runAfterwards()
                return value
            } catch {
                let isWorthAnotherRun = run <= options.retry && transaction.session.isVictim(by: error)
                await transaction.rollBack()
                await transaction.runAfterwards()
                guard isWorthAnotherRun, transaction.canBeFollowed, !Task.isCancelled else { throw error }
            }
            run += 1
            try await Reactor.current.sleep(for: options.pause(before: run))
        }
    }

    /// The same on a greenlet's own stack.
    static func run<T: Sendable>(
        _ options: PostgresTransactionOptions, _ begin: @ReactorActor () async throws -> PostgresTransaction,
        _ body: @ReactorActor (PostgresTransaction) throws -> T
    ) throws -> T {
        var run = 1
        while true {
            let transaction = try Greenlet.blockingCall { try await begin() }
            do {
                let value = try body(transaction)
                try Greenlet.blockingCall { try await transaction.commit() }
                cleanUp { await transaction.runAfterwards() }
                return value
            } catch {
                let isWorthAnotherRun = run <= options.retry && transaction.session.isVictim(by: error)
                cleanUp {
                    await transaction.rollBack()
                    await transaction.runAfterwards()
                }
                guard isWorthAnotherRun, transaction.canBeFollowed else { throw error }
            }
            run += 1
            try Greenlet.sleep(for: options.pause(before: run))
        }
    }

    private func commit() async throws {
        guard isOpen else {
            throw PostgresError(
                .transactionFinished,
                "the transaction around the savepoint has ended, and the savepoint with it")
        }
        guard session.isUsable else { throw session.unusable }
        // A cancelled body that returned nevertheless must not commit half of its work.
        try Task.checkCancellation()
        switch session.transactionStatus {
        case PQTRANS_IDLE:
            throw PostgresError(
                .transactionFinished, "a COMMIT or ROLLBACK inside the transaction has ended it")
        case PQTRANS_INERROR where savepoint != nil: throw rolledBack(by: session.transactionFailure)
        default: break
        }
        // It would be committed half done, and could not be undone by itself any more.
        guard openSavepoint == nil else {
            throw PostgresError(
                .connectionBusy,
                "a savepoint in the transaction has not ended: another task is at work there; wait for it in the body"
            )
        }
        // With the transaction it is forgotten.
        let failure = session.transactionFailure
        // Not cancelled, and waited for no longer than the grace once it is interrupted: nobody knows then what it came to.
        let text = savepoint.map { "RELEASE SAVEPOINT \($0)" } ?? "COMMIT"
        isCommitting = true
        let tag = try await session.script(text, ifInterrupted: .waitForGrace)
        // The server answers the COMMIT of a failed transaction with success and this tag.
        if tag == "ROLLBACK" {
            end(.rolledBack)
            throw rolledBack(by: failure)
        }
        end(.committed)
    }

    private func rolledBack(by failure: PostgresError?) -> PostgresError {
        var text =
            "the transaction was rolled back: one of its statements had failed and the error was not passed on"
        if let failure { text += ": \(failure)" }
        return PostgresError(.transactionRolledBack, text, underlying: failure)
    }

    /// Undoes everything, also in a cancelled task. Never throws: a connection that cannot be rolled back is lost, and
    /// the server rolls back.
    private func rollBack() async {
        guard !isClosed else { return }
        let isLostInCommit = isCommitting && savepoint == nil && !session.isUsable
        close()
        // A transaction that has ended around a savepoint has undone it, and its connection may be somebody else's.
        if isOuterOpen { await session.waitUntilFree() }
        // Ended by a COMMIT or ROLLBACK in the body.
        let isEndedByHand = isOuterOpen && !isCommitting && session.transactionStatus == PQTRANS_IDLE
        if isOuterOpen { await session.rollBack(to: savepoint) }
        end(isLostInCommit || isEndedByHand ? .unknown : .rolledBack)
    }
}

extension PostgresTransactionOptions {
    fileprivate func pause(before run: Int) -> Duration {
        Self.pause(before: run, chance: Double.random(in: 0...1))
    }
}

extension PostgresSession {
    /// Ends the open transaction, or what came after the savepoint. When that fails the session is lost.
    func rollBack(to savepoint: String? = nil) async {
        guard isUsable, transactionStatus != PQTRANS_IDLE else { return }
        let text = savepoint.map { "ROLLBACK TO SAVEPOINT \($0); RELEASE SAVEPOINT \($0)" } ?? "ROLLBACK"
        do {
            _ = try await script(text, timeout: .seconds(5), ifInterrupted: .ignore)
        } catch {
            lose(
                PostgresError(.connectionLost, "the transaction could not be rolled back", underlying: error),
                .alone)
        }
    }
}
