import CLibPQ
import ReactorCore

/// A cancel request, made on the reactor and sent by a worker thread.
///
/// Unchecked: libpq allows PQcancel and PQfreeCancel on any thread, and the worker is the only user.
private final class CancelRequest: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQfreeCancel(pointer) }

    /// Blocks, in libpq 15 without a limit: for a whole connect time-out on a bad network, for ever before a postmaster
    /// that stands still. Whether the server has taken it; whether there was anything to cancel it does not tell.
    func send() -> Bool {
        var complaint = [CChar](repeating: 0, count: 256)
        return PQcancel(pointer, &complaint, Int32(complaint.count)) == 1
    }
}

extension PostgresSession {
    /// Cancels the statement under way on the server, or, a COMMIT, gives it the grace to end. Does nothing when that statement
    /// is over.
    func interrupt(_ reason: Interruption, exchange number: UInt64) {
        guard exchange.isUnderWay, exchange.number == number, exchange.interruption == nil, let handle else {
            return
        }
        exchange.interruption = reason
        // For the request to get there; from then on the statement has as long to end.
        armGrace(number)
        guard !exchange.isJustAwaited else { return }
        record.cancels += 1
        sendCancelRequest(handle, exchange: number)
        exchange.feed?.wasInterrupted()
    }

    /// Gives the connection up when the server has not obeyed in time, counted from now.
    func armGrace(_ number: UInt64) {
        exchange.graceTimer?.cancelIfActive()
        exchange.graceTimer = reactor.callLater(configuration.cancelGrace) { self.abandon(exchange: number) }
    }

    /// Has a worker thread send the request: one of the threads for requests, which nothing else holds up, and which, stuck,
    /// hold up nothing else.
    func sendCancelRequest(_ handle: OpaquePointer, exchange number: UInt64) {
        guard let pointer = PQgetCancel(handle) else { return }
        let request = CancelRequest(pointer)
        let reactor = reactor
        do {
            exchange.cancelTicket = try cancelThreads.enqueue {
                let isSent = request.send()
                reactor.callFromThread { self.cancelReturned(exchange: number, isSent: isSent) }
            }
            exchange.isCancelInFlight = true
        } catch {
            // There may be room for a thread later.
            sendCancelRequestAgain(exchange: number)
        }
    }

    private func sendCancelRequestAgain(exchange number: UInt64) {
        exchange.cancelTimer?.cancelIfActive()
        exchange.cancelTimer = reactor.callLater(.milliseconds(50)) { [self] in
            guard exchange.isUnderWay, exchange.number == number, !exchange.isAnswered, let handle else {
                return
            }
            sendCancelRequest(handle, exchange: number)
        }
    }

    /// Cancels the statement under way, if any, and refuses further ones; ROLLBACK still goes through.
    func condemn(_ reason: PostgresError, _ interruption: Interruption) {
        condemned = reason
        interrupt(interruption, exchange: exchange.number)
    }

    private func cancelReturned(exchange number: UInt64, isSent: Bool) {
        guard exchange.isUnderWay, exchange.number == number else { return }
        exchange.isCancelInFlight = false
        exchange.cancelTicket = nil
        signal.raise()
        guard !exchange.isAbandoned else { return }
        guard !exchange.isAnswered else {
            exchange.graceTimer?.cancelIfActive()
            exchange.graceTimer = nil
            return
        }
        if isSent, !exchange.isCancelSent {
            exchange.isCancelSent = true
            armGrace(number)
        }
        // The server drops a request that overtakes its statement. Until the grace period is over, ask again.
        sendCancelRequestAgain(exchange: number)
    }

    /// Waits for a cancel request on its way, which could hit the next statement; until its time is over.
    func waitForCancelRequest() async {
        takeCancelRequestBack()
        while exchange.isCancelInFlight, !exchange.isAbandoned, isUsable { await signal.wait() }
    }

    /// The statement is over: a request that no thread has begun with never goes out.
    func takeCancelRequestBack() {
        guard let ticket = exchange.cancelTicket, ticket.cancel() else { return }
        exchange.cancelTicket = nil
        exchange.isCancelInFlight = false
    }

    func abandon(exchange number: UInt64) {
        guard exchange.isUnderWay, exchange.number == number else { return }
        // The answer may be here, unread because the loop was blocked: it is looked at before time is called.
        exchange.graceTimer = reactor.callLater(.milliseconds(5)) { [self] in
            guard exchange.isUnderWay, exchange.number == number,
                !exchange.isAnswered || exchange.isCancelInFlight
            else { return }
            exchange.isAbandoned = true
            signal.raise()
        }
    }

    nonisolated func interruptFromAnyThread(_ number: UInt64) {
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { interrupt(.cancelled, exchange: number) }
        } else {
            reactor.callFromThread { self.interrupt(.cancelled, exchange: number) }
        }
    }
}
