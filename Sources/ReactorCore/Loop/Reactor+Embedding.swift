import Synchronization

extension Reactor {
    // MARK: Inside another loop

    /// A descriptor that is readable when `iterate()` has descriptors or calls of other threads to look at: for a loop
    /// of another kind (a GUI's, a game's) that runs this reactor from time to time. Any thread.
    ///
    /// ```swift
    /// while true {
    ///     var entry = pollfd(fd: reactor.pollDescriptor, events: Int16(POLLIN), revents: 0)
    ///     poll(&entry, 1, reactor.idleTime.map { Int32($0 / .milliseconds(1)) + 1 } ?? -1)
    ///     try reactor.iterate()
    /// }
    /// ```
    /// It is the reactor's own: wait for it, and do nothing else with it.
    public var pollDescriptor: Int32 { poller.descriptor }

    /// How long the other loop may sleep before it calls `iterate()`, unless `pollDescriptor` is readable before: until
    /// the next timer; no time at all when something is ready; nil when there is nothing to wait for but descriptors.
    ///
    /// From the thread that calls `iterate()`, between two calls.
    /// - Precondition: nobody runs the reactor.
    public var idleTime: Duration? {
        precondition(phase.load(ordering: .acquiring) == .idle, "idleTime of a reactor that somebody runs")
        guard readyCount == 0, !inbox.mayHaveItems else { return .zero }
        return timers.pointee.nextDeadline.map { max(.zero, clock.now.duration(to: $0)) }
    }
}
