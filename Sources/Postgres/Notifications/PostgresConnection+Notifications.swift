import ReactorCore

extension PostgresConnection {
    /// The messages that this connection gets from now on, for the channels that it listens to by `LISTEN`.
    ///
    /// Each use is a sequence of its own, with a buffer of 1024 events. It ends when the connection is closed or given back to its
    /// pool, and throws `connectionLost` when it breaks; what listens for long is better left to `pool.listen`, which
    /// reconnects. The server sends messages between transactions, so not while one is open here. Never waits.
    public var notifications: PostgresNotificationEvents {
        let events = PostgresNotificationEvents(limit: 1024)
        guard isUsable else {
            events.end(throwing: session.failure?.code == .connectionClosed ? nil : session.failure)
            return events
        }
        let hub = session.notifications
        // Weak: the sequence is left when its consumer drops it.
        let number = hub.add(
            NotificationHub.Receiver(
                receive: { [weak events] in events?.push(.notification($0)) },
                end: { [weak events] in events?.end(throwing: $0?.code == .connectionClosed ? nil : $0) }))
        events.start { hub.remove(number) }
        return events
    }
}
