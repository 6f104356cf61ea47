import ConnectionPools
import Greenlets
import ReactorCore

// What happens to a connection between the queue and its borrower: a check, a hook. Rare, so apart from the way that most go.

extension PostgresPool {
    /// Whether the connection may be lent as it is.
    func isReady(_ session: PostgresSession) -> Bool {
        if options.hooks.onAcquire != nil { return false }
        switch options.check {
        case .never: return true
        case .always: return false
        case .socket: return session.record.wasIdle <= options.checkAfterIdle
        }
    }

    /// Checks the connection and asks the hook. False: it was no good, and is being closed.
    ///
    /// - Throws: what the hook throws; `acquireTimedOut` when it takes too long; `poolClosed`; `CancellationError`. The
    ///   connection is given back in each case.
    func prepare(_ lease: Lease, _ timeout: Duration, until deadline: Duration) async throws -> Bool {
        let session = lease.connection
        do {
            if options.check == .always || options.check == .socket && needsPing(session) {
                try await session.ping(within: min(options.checkTimeout, max(.zero, deadline - now)))
            }
        } catch is CancellationError {
            totals.acquired -= 1
            release(lease)
            throw CancellationError()
        } catch {
            totals.acquired -= 1
            refuse(lease, .checkFailed)
            return false
        }
        guard let hook = options.hooks.onAcquire else { return true }
        let connection = PostgresConnection(session)
        let age = PostgresConnectionAge(age: now - session.record.openedAt, idle: session.record.wasIdle)
        do {
            let isWelcome = try await runHook("onAcquire", within: max(.zero, deadline - now)) {
                try await hook(connection, age)
            }
            connection.endLoan()
            if isWelcome, session.isUsable {
                guard !Task.isCancelled else { throw CancellationError() }
                return true
            }
            totals.acquired -= 1
            refuse(lease, .refusedByHook)
            return false
        } catch {
            connection.endLoan()
            totals.acquired -= 1
            refuse(lease, .refusedByHook)
            if (error as? PostgresError)?.code == .hookTimedOut {
                totals.acquireTimeouts += 1
                throw timeoutError(timeout, because: error)
            }
            throw error
        }
    }

    private func needsPing(_ session: PostgresSession) -> Bool {
        session.record.wasIdle > options.checkAfterIdle
    }

    /// Gives a connection back to be closed.
    func refuse(_ lease: Lease, _ reason: PostgresCloseReason) {
        let session = lease.connection
        session.record.closeReason = reason
        let loss = session.isUsable ? .alone : session.loss
        // A hook that does not end may still be using it; from now on it cannot.
        session.onIdleLoss = nil
        session.lose(PostgresError(.connectionClosed, "the pool has closed the connection"), .alone)
        apply(machine.release(lease.slot, .broken(loss), at: now))
    }

    /// Runs a hook in a task of its own, so that one that hangs, whatever it hangs on, holds nobody up for longer than this.
    func runHook<T: Sendable>(
        _ name: String, within limit: Duration, _ body: @escaping @Sendable @ReactorActor () async throws -> T
    ) async throws -> T {
        let reactor = Reactor.current
        let outcome = Waiter<Result<T, any Error>>(on: reactor)
        let task = reactor.startTask {
            let result: Result<T, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.resume(returning: result)
        }
        lastHook += 1
        let number = lastHook
        let closed = refusal(.closed)
        hookEnds[number] = { outcome.resume(throwing: closed) }
        let timer = reactor.callLater(limit) { [label = options.label] in
            outcome.resume(
                throwing: PostgresError(
                    .hookTimedOut,
                    "the hook \(name) of pool \"\(label)\" did not end within \(limit.humanReadable)"))
        }
        defer {
            timer.cancelIfActive()
            hookEnds[number] = nil
            task.cancel()
        }
        return try await outcome.wait().get()
    }

    /// How long a hook may take that nobody waits for in person.
    var hookLimit: Duration { max(options.acquireTimeout, .seconds(1)) }

    /// Gives up all hooks under way.
    func endHooks() {
        for end in hookEnds.values { end() }
    }
}
