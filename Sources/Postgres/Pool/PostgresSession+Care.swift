import CLibPQ
import CLinux
import Glibc
import ReactorCore

// What a pool does with a session between two borrowers.

/// What a pool knows about a session of its own.
struct PoolRecord {
    /// When it was opened, on the pool's clock.
    var openedAt = Duration.zero
    /// How long it was idle before its present loan.
    var wasIdle = Duration.zero
    /// Why the pool is about to close it, where the pool's machine cannot know.
    var closeReason: PostgresCloseReason?
    /// Statements sent and cancelled since its last return.
    var statements = 0
    var cancels = 0
    /// What it had moved when that was last asked for.
    var traffic: Traffic?
}

/// Bytes moved over sockets.
struct Traffic {
    var sent: UInt64 = 0
    var received: UInt64 = 0

    static func + (one: Traffic, other: Traffic) -> Traffic {
        Traffic(sent: one.sent &+ other.sent, received: one.received &+ other.received)
    }
}

extension PostgresSession {
    /// A statement is about to run.
    ///
    /// - Parameters:
    ///   - isKnown: it has run before in this session.
    ///   - mayRepeat: false for scripts, which are never prepared.
    func noteStatement(_ text: String, isKnown: Bool = false, mayRepeat: Bool = true) {
        record.statements += 1
        dirt.note(text, isKnown: isKnown, mayRepeat: mayRepeat)
    }

    /// A result has arrived.
    ///
    /// - Parameter text: the statement's, when others were sent behind it.
    func noteCommandTag(_ result: OpaquePointer, of text: String? = nil) {
        guard let tag = PQcmdStatus(result), tag.pointee != 0 else { return }
        dirt.note(tag: tag, of: text)
        if tag.pointee == CChar(bitPattern: UInt8(ascii: "D")),
            strcmp(tag, "DISCARD ALL") == 0 || strcmp(tag, "DEALLOCATE ALL") == 0
        {
            statements.forgetAll()
        }
        // What follows in the same text or pipeline may fail for a reason of its own.
        if transactionFailure != nil, strcmp(tag, "ROLLBACK") == 0 { transactionFailure = nil }
    }

    /// Sends an empty query and waits for the answer. One that does not come in time says that the way to the server is
    /// broken: then the session is lost, and others of its age are suspect.
    func ping(within limit: Duration) async throws {
        let timer = reactor.callLater(max(.zero, limit)) {
            self.lose(
                PostgresError(.connectionLost, "the server did not answer a check within \(limit)"),
                .serverGone)
        }
        defer { timer.cancelIfActive() }
        _ = try await script("")
    }

    /// What the socket has moved since the connect; nil where the kernel does not count. Of a lost connection, whose socket libpq
    /// has closed, what was known last.
    var traffic: Traffic? {
        var moved = Traffic()
        if let handle, PQsocket(handle) == descriptor,
            clinux_tcp_bytes(descriptor, &moved.sent, &moved.received) == 0
        {
            record.traffic = moved
        }
        return record.traffic
    }

    /// Closes cursors WITH HOLD of streams that nobody reads any more, which keep their rows on the server. A session of which they
    /// cannot be closed is lost.
    func closeHeldCursors() async {
        guard !dirt.heldCursors.isEmpty else { return }
        let text = dirt.heldCursors.map { "CLOSE \($0)" }.joined(separator: "; ")
        do {
            _ = try await perform(timeout: .seconds(5), ifInterrupted: .ignore) { PQsendQuery($0, text) }
            dirt.cursorsAreClosed()
        } catch {
            lose(
                PostgresError(.connectionLost, "cursors could not be closed", underlying: error), .alone)
        }
    }

    /// Makes the session as new. Whether that worked; when not it is to be closed.
    func discardAll() async -> Bool {
        guard (try? await script("DISCARD ALL", timeout: .seconds(5), ifInterrupted: .ignore)) != nil else {
            return false
        }
        dirt.clear()
        return isUsable
    }
}
