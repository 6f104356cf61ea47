import Greenlets
import PostgresValues
import ReactorCore

extension PostgresDatabase {
    /// Sends a message to all who listen to a channel; in a transaction when that commits. Parks the calling task.
    ///
    /// - Parameters:
    ///   - channel: its name, exactly; at most 63 bytes.
    ///   - payload: less than 8000 bytes. The server drops a message that the same transaction has sent already.
    /// - Throws: as `query`; `22023` from the server when either is too long.
    public func notify(_ channel: String, _ payload: String = "") async throws {
        _ = try await query("SELECT pg_notify(\(channel), \(payload))", timeout: nil)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func notify(_ channel: String, _ payload: String = "") throws {
        try Greenlet.blockingCall { try await self.notify(channel, payload) }
    }
}
