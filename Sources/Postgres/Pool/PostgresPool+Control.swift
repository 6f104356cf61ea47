import ConnectionPools
import ReactorCore

extension PostgresPool {
    /// Changes how many connections there may be, and are kept, at once. Never waits. Reactor only.
    ///
    /// More serve those who wait at once. Fewer close idle connections now and others as they come back: nobody loses the
    /// one in use, so until then the server may see more than the new maximum.
    /// - Parameter minimum: nil leaves it as it is, no greater than the maximum.
    /// - Precondition: `maximum` is at least 1.
    public func resize(minimum: Int? = nil, maximum: Int) {
        adoptIfForked()
        apply(machine.resize(minimum: minimum, to: maximum, at: now))
    }

    /// Lends nothing more and opens nothing until `resume()`: borrowers queue, and time out as ever; those who have a
    /// connection keep it. Never waits. Doing it again does nothing. For a server that is about to be changed. A shared
    /// connection goes back when it has answered what it was sent.
    public func pause() {
        adoptIfForked()
        machine.pause()
        if isShared { multiplexer?.giveWay() }
    }

    /// Lends again, in order of arrival. Never waits. Without a pause it does nothing.
    public func resume() {
        adoptIfForked()
        var actions = machine.resume(at: now)
        while true {
            apply(actions)
            guard actions.handOff != nil || !actions.closes.isEmpty else { return }
            actions = machine.serve(at: now)
        }
    }

    /// Replaces every connection without downtime: idle ones now, others as they come back. Never waits. A shared connection is
    /// sent nothing more, and the one that listens is replaced too: who listens gets `.reconnected`.
    ///
    /// For what only new logins see: a rotated password, a moved server, `ALTER ROLE … SET`.
    public func recycle() {
        adoptIfForked()
        apply(machine.recycle(at: now))
        if isShared { multiplexer?.giveUpAll() }
        listener?.recycle()
    }
}
