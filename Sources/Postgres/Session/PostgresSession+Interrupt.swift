import CLibPQ
import ReactorCore

/// A cancel request on its way to a worker thread.
///
/// Unchecked: libpq allows PQcancel and PQfreeCancel on any thread, and the worker is the only user.
private struct CancelRequest: @unchecked Sendable {
    let pointer: OpaquePointer

    func sendAndFree() {
        // Its outcome does not matter: either the statement ends, or the grace period does.
        var complaint = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &complaint, Int32(complaint.count))
        PQfreeCancel(pointer)
    }
}

extension PostgresSession {
    /// Cancels the statement under way on the server. Does nothing when that statement is over.
    func interrupt(_ reason: Interruption, exchange number: UInt64) {
        guard exchange.isUnderWay, exchange.number == number, exchange.interruption == nil, let handle else {
            return
        }
        exchange.interruption = reason
        record.cancels += 1
        exchange.graceTimer = reactor.callLater(configuration.cancelGrace) { self.abandon(exchange: number) }
        sendCancelRequest(handle, exchange: number)
        exchange.feed?.wasInterrupted()
    }

    func sendCancelRequest(_ handle: OpaquePointer, exchange number: UInt64) {
        guard let pointer = PQgetCancel(handle) else { return }
        let request = CancelRequest(pointer: pointer)
        let reactor = reactor
        exchange.isCancelInFlight = true
        do {
            // PQcancel blocks, for a whole connect time-out on a bad network.
            try reactor.threadPool.submit {
                request.sendAndFree()
                reactor.callFromThread { self.cancelReturned(exchange: number) }
            }
        } catch {
            PQfreeCancel(pointer)
            exchange.isCancelInFlight = false
        }
    }

    /// Cancels the statement under way, if any, and refuses further ones; ROLLBACK still goes through.
    func condemn(_ reason: PostgresError, _ interruption: Interruption) {
        condemned = reason
        interrupt(interruption, exchange: exchange.number)
    }

    private func cancelReturned(exchange number: UInt64) {
        guard exchange.isUnderWay, exchange.number == number else { return }
        exchange.isCancelInFlight = false
        signal.raise()
        guard !exchange.isAnswered, !exchange.isAbandoned else { return }
        // The server drops a request that overtakes its statement. Until the grace period is over, ask again.
        exchange.cancelTimer = reactor.callLater(.milliseconds(50)) { [self] in
            guard exchange.isUnderWay, exchange.number == number, !exchange.isAnswered, let handle else {
                return
            }
            sendCancelRequest(handle, exchange: number)
        }
    }

    func abandon(exchange number: UInt64) {
        guard exchange.isUnderWay, exchange.number == number else { return }
        // The answer may be here, unread because the loop was blocked: it is looked at before time is called.
        exchange.graceTimer = reactor.callLater(.milliseconds(5)) { [self] in
            guard exchange.isUnderWay, exchange.number == number else { return }
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
