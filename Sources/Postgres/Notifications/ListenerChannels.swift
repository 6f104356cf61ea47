import PostgresValues
import ReactorCore

/// One who listens, to one channel or several.
@ReactorActor
final class ListenerSubscriber {
    let channels: Set<String>
    let receive: @ReactorActor (PostgresNotificationEvent) -> Void
    let end: @ReactorActor (PostgresError?) -> Void
    /// Opened when all channels are listened to for the first time, or never will be.
    let ready: Waiter<Void>
    /// Channels that the current session does not listen to yet.
    fileprivate(set) var missing: Set<String>
    /// All channels have been listened to, in this session or an earlier one.
    fileprivate(set) var wasReady = false

    init(
        _ channels: Set<String>, receive: @escaping @ReactorActor (PostgresNotificationEvent) -> Void,
        end: @escaping @ReactorActor (PostgresError?) -> Void
    ) {
        self.channels = channels
        self.receive = receive
        self.end = end
        missing = channels
        ready = Waiter(on: .current)
    }
}

/// Who listens to what, and what the server has been told of it.
@ReactorActor
final class ListenerChannels {
    /// Statements to bring the server's channels to what is wanted.
    struct Changes {
        var listen: [String] = []
        var unlisten: [String] = []

        var isEmpty: Bool { listen.isEmpty && unlisten.isEmpty }

        var text: String {
            (listen.map { "LISTEN \(SQL(ident: $0).text)" }
                + unlisten.map { "UNLISTEN \(SQL(ident: $0).text)" })
                .joined(separator: "; ")
        }
    }

    private(set) var subscribers: [ObjectIdentifier: ListenerSubscriber] = [:]
    private var byChannel: [String: [ObjectIdentifier: ListenerSubscriber]] = [:]
    /// What the session listens to.
    private(set) var active: Set<String> = []
    /// Channels of which that may not be what is wanted.
    private var touched: Set<String> = []
    /// Those who were listening when the last session was lost, and are still to be told.
    private var bereft: [ObjectIdentifier: ListenerSubscriber] = [:]

    nonisolated init() {}

    func add(_ subscriber: ListenerSubscriber) {
        let id = ObjectIdentifier(subscriber)
        subscribers[id] = subscriber
        for channel in subscriber.channels {
            byChannel[channel, default: [:]][id] = subscriber
            touched.insert(channel)
        }
        subscriber.missing.subtract(active)
        markIfReady(subscriber)
    }

    /// False when it was not there.
    func remove(_ subscriber: ListenerSubscriber) -> Bool {
        let id = ObjectIdentifier(subscriber)
        guard subscribers.removeValue(forKey: id) != nil else { return false }
        bereft[id] = nil
        for channel in subscriber.channels {
            byChannel[channel]?[id] = nil
            if byChannel[channel]?.isEmpty == true { byChannel[channel] = nil }
            touched.insert(channel)
        }
        subscriber.ready.resume(throwing: CancellationError())
        return true
    }

    func endAll(_ error: PostgresError?) { end(Array(subscribers.values), error) }

    func deliver(_ message: PostgresNotification) {
        guard let listeners = byChannel[message.channel] else { return }
        for listener in listeners.values { listener.receive(.notification(message)) }
    }

    // MARK: The server's side

    /// The session has ended; the next one listens to nothing yet.
    func endSession() {
        active = []
        touched = Set(byChannel.keys)
        for (id, subscriber) in subscribers {
            subscriber.missing = subscriber.channels
            if subscriber.wasReady { bereft[id] = subscriber }
        }
    }

    func takeChanges(atMost limit: Int) -> Changes {
        var changes = Changes()
        while changes.listen.count + changes.unlisten.count < limit, let channel = touched.popFirst() {
            let isWanted = byChannel[channel] != nil
            if isWanted, !active.contains(channel) { changes.listen.append(channel) }
            // Not listened to from now on, so that one who comes meanwhile has it listened to again.
            if !isWanted, active.remove(channel) != nil { changes.unlisten.append(channel) }
        }
        return changes
    }

    /// The server has done so.
    func confirm(_ changes: Changes) {
        active.formUnion(changes.listen)
        for channel in changes.listen {
            for subscriber in byChannel[channel]?.values ?? [:].values {
                subscriber.missing.remove(channel)
                markIfReady(subscriber)
            }
        }
        // One who left, or came, while the statement was under way.
        for channel in changes.listen where byChannel[channel] == nil { touched.insert(channel) }
        for channel in changes.unlisten where byChannel[channel] != nil { touched.insert(channel) }
    }

    /// The server refuses. Whether it refuses those, too, who were listening in an earlier session: a standby takes no LISTEN
    /// until it is promoted, and they were promised that their channels are listened to again.
    func refuse(_ changes: Changes, _ error: PostgresError) -> Bool {
        var refused: [ObjectIdentifier: ListenerSubscriber] = [:]
        for channel in changes.listen { refused.merge(byChannel[channel] ?? [:]) { first, _ in first } }
        end(refused.values.filter { !$0.wasReady }, error)
        return refused.values.contains { $0.wasReady }
    }

    /// The server's channels are as wanted: those who lost the last session hear of it.
    func endRound() {
        let told = bereft
        bereft = [:]
        for subscriber in told.values { subscriber.receive(.reconnected) }
    }

    private func markIfReady(_ subscriber: ListenerSubscriber) {
        guard subscriber.missing.isEmpty else { return }
        subscriber.wasReady = true
        subscriber.ready.resume(returning: ())
    }

    private func end(_ ended: [ListenerSubscriber], _ error: PostgresError?) {
        for subscriber in ended {
            subscriber.ready.resume(throwing: error ?? PostgresError(.poolClosed, "the pool is closed"))
            _ = remove(subscriber)
            subscriber.end(error)
        }
    }
}
