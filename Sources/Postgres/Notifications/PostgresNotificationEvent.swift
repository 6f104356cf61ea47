/// What a listener is told.
public enum PostgresNotificationEvent: Hashable, Sendable {
    /// A message.
    case notification(PostgresNotification)
    /// The connection was lost and made anew, and its channels are listened to again. Messages sent meanwhile are lost:
    /// look at the tables. Only from `pool.listen`.
    case reconnected
    /// The consumer was too slow and its buffer full: so many of the oldest events were dropped.
    case dropped(Int)

    /// The message, nil for other events.
    public var notification: PostgresNotification? {
        if case .notification(let notification) = self { notification } else { nil }
    }
}
