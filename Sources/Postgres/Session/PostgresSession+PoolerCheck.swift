import CLibPQ
import Logging
import PostgresValues
import ReactorCore

// A pooler in transaction mode takes a login like a server, and a while later statements fail that were prepared, notifications
// do not come and locks are somebody else's. Preparing twice across a BEGIN would find it only when the pooler happens to change
// the session in between; what tells is who serves whom.

extension PostgresSession {
    /// Throws when a pooler in transaction mode stands in front of the server and the configuration says otherwise.
    ///
    /// A server's process has the number that the login named. Where it has not, a pooler made that number up; then a second
    /// connection shows whether the first keeps its process between two statements, as in a pooler's session mode. What cannot
    /// be found out is no reason to refuse: a process that nobody else wanted meanwhile looks like one's own.
    ///
    /// - Throws: `PostgresError`: `invalidConfiguration` for such a pooler; what a lost connection throws; `CancellationError`. The
    ///   session is then still to be closed.
    func checkForPooler() async throws {
        guard configuration.pooling == .session, configuration.checksForPooler else { return }
        let limit = configuration.connectTimeout
        guard let server = try await ask("SELECT pg_backend_pid()::text", limit), server != "\(processID)"
        else {
            return
        }
        configuration.logger.debug("\(configuration.redactedDescription) is a pooler")
        guard let mine = try await serverProcess(limit) else { return }
        guard let others = try await processOfAnother() else { return }
        let again = try await serverProcess(limit)
        // Its own process was another's meanwhile, or has changed.
        guard let again, others == mine || again != mine else { return }
        throw PostgresError(
            .invalidConfiguration,
            "\(configuration.redactedDescription) is a pooler in transaction mode: statements of one connection meet different "
                + "sessions of the server, so prepared statements, LISTEN and session settings fail at random. Say pooling = "
                + ".transactionPooled, or connect to the server itself")
    }

    /// The process that serves another connection; nil when there is none to be had soon, as behind a pooler in session mode whose
    /// sessions are all taken.
    private func processOfAnother() async throws -> String? {
        var configuration = configuration
        let limit = min(configuration.connectTimeout ?? .seconds(1), .seconds(1))
        configuration.connectTimeout = limit
        do {
            let other = try await PostgresSession.connect(configuration)
            let process: String?
            do { process = try await other.serverProcess(limit) } catch {
                await other.close()
                throw error
            }
            await other.close()
            return process
        } catch is PostgresError {
            return nil
        }
    }

    /// The process that serves the session at this moment, told from all others that there ever were: numbers alone are used
    /// again, and the same on several hosts.
    private func serverProcess(_ limit: Duration?) async throws -> String? {
        try await ask(
            "SELECT pid || ' ' || backend_start FROM pg_stat_get_activity(pg_backend_pid())", limit)
    }

    /// The one text that a statement yields; nil when the server does not say, and is still there.
    private func ask(_ statement: String, _ limit: Duration?) async throws -> String? {
        do {
            let rows = try await perform(timeout: limit) { PQsendQuery($0, statement) }.rows()
            return try rows.first?.decode(String?.self, at: 0)
        } catch let error as PostgresError where error.code == .server && isUsable {
            return nil
        } catch is PostgresValueError {
            return nil
        }
    }
}
