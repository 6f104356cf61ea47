import CLibPQ
import COpenSSL
import ConnectionPools
import Glibc
import ReactorCore

extension PostgresSession {
    /// Sends by `send`, waits for the end of the answer, and returns the last result or throws the first error.
    ///
    /// When it returns or throws the session is free again: no answer is outstanding and no cancel request under way.
    /// - Parameter isCleanUp: whoever comes meanwhile waits instead of being refused.
    @inline(__always)
    func perform(
        timeout: Duration? = nil, ifInterrupted policy: InterruptionPolicy = .cancel, isCleanUp: Bool = false,
        _ send: (OpaquePointer) -> Int32
    ) async throws -> LibPQResult {
        if exchange.isCleanUp { await waitForCleanUp() }
        let handle = try beginExchange(timeout: timeout, ifInterrupted: policy, send)
        exchange.isCleanUp = isCleanUp
        defer { finishExchange() }
        if policy != .ignore {
            let number = exchange.number
            await withTaskCancellationHandler {
                while !advance(handle) {
                    if !signal.take() { await withUnsafeContinuation { signal.park($0) } }
                }
            } onCancel: {
                interruptFromAnyThread(number)
            }
        } else {
            while !advance(handle) { await signal.wait() }
        }
        exchange.isAnswered = true
        // A request that arrives late would cancel whatever comes next.
        if exchange.isCancelInFlight { await waitForCancelRequest() }
        return try judge()
    }

    /// Sends by `send` and counts the time from now. Whoever calls it calls `finishExchange` when the answer has come to
    /// its end. Never waits.
    func beginExchange(
        timeout: Duration?, ifInterrupted policy: InterruptionPolicy = .cancel,
        _ send: (OpaquePointer) -> Int32
    ) throws -> OpaquePointer {
        try refuseWhenInherited()
        guard !exchange.isUnderWay else { throw busy }
        guard let handle, failure == nil else { throw unusable }
        if policy == .cancel {
            try Task.checkCancellation()
            if let condemned { throw condemned }
        }
        exchange.isUnderWay = true
        exchange.number += 1
        exchange.interruption = nil
        exchange.isJustAwaited = policy == .waitForGrace
        exchange.isCancelSent = false
        exchange.isDiscardingCopy = false
        exchange.isAnswered = false
        exchange.isComplete = false
        exchange.isCopyIn = false
        exchange.isCopyRefused = false
        exchange.copyFailure = nil
        guard send(handle) == 1 else {
            defer { finishExchange() }
            throw sendFailure(handle)
        }
        flush()
        if let timeout {
            let number = exchange.number
            exchange.timeoutTimer = reactor.callLater(max(.zero, timeout)) {
                self.interrupt(.timedOut(timeout), exchange: number)
            }
        }
        return handle
    }

    /// The error for a use of a session that is in use.
    var busy: PostgresError {
        PostgresError(
            .connectionBusy,
            exchange.feed == nil
                ? "the connection runs another statement; give each greenlet its own by pool.withConnection"
                : "a stream or COPY on this connection is not at its end; leave its loop first, or read by a cursor"
        )
    }

    /// Sends by `send` what undoes something, on a session that is free, and takes in the answer in the background: whoever
    /// comes meanwhile waits. Calls `ended` with whether the server has done it. Never waits.
    func cleanUp(
        within limit: Duration, _ send: (OpaquePointer) -> Int32,
        _ ended: @escaping @Sendable @ReactorActor (Bool) -> Void
    ) {
        guard let handle = try? beginExchange(timeout: limit, ifInterrupted: .ignore, send) else {
            return ended(false)
        }
        exchange.isCleanUp = true
        _ = reactor.startTask { [self] in
            // Before anybody else has his turn.
            defer { finishExchange() }
            while !advance(handle) { await signal.wait() }
            exchange.isAnswered = true
            while exchange.isCancelInFlight, !exchange.isAbandoned { await signal.wait() }
            do { _ = try judge() } catch { return ended(false) }
            ended(true)
        }
    }

    /// Parks until nothing is under way. For clean-up, which must not fail because somebody else is cleaning up.
    ///
    /// - Parameter endsStreams: one that is still open is ended: its consumer may not come back.
    func waitUntilFree(endsStreams: Bool = true) async {
        while exchange.isUnderWay {
            if endsStreams, exchange.feed != nil, !exchange.isCleanUp {
                interrupt(.scopeEnded, exchange: exchange.number)
                guard exchange.isUnderWay else { return }
            }
            await waitForEndOfExchange()
        }
    }

    /// Parks while the end of a statement that nobody wants any more is under way. What comes next may be another's.
    func waitForCleanUp() async {
        while exchange.isUnderWay, exchange.isCleanUp, !isInherited { await waitForEndOfExchange() }
    }

    /// Throws in the child of a fork, having let go of what is the parent's.
    @inline(__always)
    func refuseWhenInherited() throws(PostgresError) {
        guard isInherited else { return }
        abandon()
        throw unusable
    }

    /// Parks until the exchange under way has ended.
    func waitForEndOfExchange() async {
        guard exchange.isUnderWay else { return }
        let turn = Signal()
        exchange.queue.append(turn)
        await turn.wait()
    }

    func finishExchange() {
        checkEncoding()
        if let result = exchange.result { PQclear(result) }
        exchange.result = nil
        exchange.timeoutTimer?.cancelIfActive()
        exchange.timeoutTimer = nil
        exchange.graceTimer?.cancelIfActive()
        exchange.graceTimer = nil
        exchange.cancelTimer?.cancelIfActive()
        exchange.cancelTimer = nil
        exchange.isUnderWay = false
        exchange.isCleanUp = false
        settleFailure()
        if exchange.feed != nil {
            exchange.feed = nil
            pace(false)
        }
        // One that came right behind the answer is in libpq's buffer, and the socket will not tell of it again.
        takeNotifications()
        guard !exchange.queue.isEmpty else { return }
        // All of them: the first may find that it has nothing to do.
        let queue = exchange.queue
        exchange.queue = []
        for turn in queue { turn.raise() }
    }

    // MARK: The answer

    /// Takes what the server has answered so far. True when that was all, or when the wait is given up.
    func advance(_ handle: OpaquePointer) -> Bool {
        while isWorthAsking(handle) {
            if exchange.isDiscardingCopy {
                guard discardCopy(handle) else { return false }
                exchange.isDiscardingCopy = false
                continue
            }
            // Asked before waiting: TLS may hold rows that the socket no longer shows. On a dead connection
            // PQgetResult returns at once, with the reason.
            if PQstatus(handle) == CONNECTION_OK, PQisBusy(handle) != 0 { return false }
            let result = PQgetResult(handle)
            noteSocket(nil)
            guard let result else {
                exchange.isComplete = true
                return true
            }
            accept(result, handle)
        }
        return true
    }

    /// Keeps a result that nobody takes piece by piece, and answers what it asks for.
    func accept(_ result: OpaquePointer, _ handle: OpaquePointer) {
        let status = PQresultStatus(result)
        // One row of a stream that nobody reads any more.
        if status == PGRES_SINGLE_TUPLE { return PQclear(result) }
        noteCommandTag(result)
        keep(result)
        switch status {
        case PGRES_COPY_IN:
            // Ends as an error of the statement; the connection stays good.
            let reason = exchange.copyFailure ?? "COPY FROM STDIN needs a call that sends rows: copyIn"
            guard PQputCopyEnd(handle, reason) == 1 else {
                return loseWith(libpqMessage: String(cString: PQerrorMessage(handle)))
            }
            flush()
        case PGRES_COPY_OUT: exchange.isDiscardingCopy = true
        case PGRES_COPY_BOTH:
            lose(PostgresError(.unexpectedResult, "replication connections are not supported"), .alone)
        default: break
        }
    }

    private func isWorthAsking(_ handle: OpaquePointer) -> Bool {
        failure == nil && !exchange.isAbandoned && self.handle == handle
    }

    private func keep(_ result: OpaquePointer) {
        if let kept = exchange.result {
            if isError(PQresultStatus(kept)) || PQresultStatus(kept) == PGRES_COPY_OUT {
                PQclear(result)
                return
            }
            PQclear(kept)
        }
        exchange.result = result
    }

    private func isError(_ status: ExecStatusType) -> Bool {
        status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY
            && status != PGRES_COPY_IN && status != PGRES_COPY_OUT
    }

    /// Whether the next thing that the server says is an error.
    ///
    /// libpq does not parse an error before all rows have been sent; until then a server that has refused the first
    /// swallows all others. So the bytes are looked at before libpq reads them: in the socket, or, encrypted, in OpenSSL,
    /// which keeps what it has decrypted for the next who reads. What GSSAPI encrypts cannot be looked into.
    func looksRefused(_ handle: OpaquePointer) -> Bool {
        // 'E', a length of four bytes, and the severity as the first field, whose code is 'S'.
        var bytes = [UInt8](repeating: 0, count: 6)
        let count: Int
        if PQsslInUse(handle) != 0 {
            guard let tls = PQsslStruct(handle, "OpenSSL") else { return false }
            // What OpenSSL says of a failure here it says again to libpq, whose business it is.
            count = Int(SSL_peek(OpaquePointer(tls), &bytes, Int32(bytes.count)))
            if count <= 0 { ERR_clear_error() }
        } else {
            count = recv(descriptor, &bytes, bytes.count, Int32(MSG_PEEK | MSG_DONTWAIT))
        }
        return count == bytes.count && bytes[0] == UInt8(ascii: "E") && bytes[5] == UInt8(ascii: "S")
    }

    /// Throws rows of COPY away; false when more are to come.
    private func discardCopy(_ handle: OpaquePointer) -> Bool {
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(handle, &buffer, 1)
            PQfreemem(buffer)
            if length == 0, PQstatus(handle) == CONNECTION_OK { return false }
            if length <= 0 { return true }
        }
    }
}
