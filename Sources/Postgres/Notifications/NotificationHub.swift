import CLibPQ
import ReactorCore

/// Hands a session's notifications to those who want them; without anybody they are dropped.
@ReactorActor
final class NotificationHub {
    /// Called with each notification, and last with why there are no more: nil for an orderly end.
    struct Receiver {
        let receive: @ReactorActor (PostgresNotification) -> Void
        let end: @ReactorActor (PostgresError?) -> Void
    }

    private var nextNumber = 0
    private var receivers: [Int: Receiver] = [:]

    nonisolated init() {}

    /// Returns what to give to `remove`.
    func add(_ receiver: Receiver) -> Int {
        nextNumber += 1
        receivers[nextNumber] = receiver
        return nextNumber
    }

    func remove(_ number: Int) { receivers[number] = nil }

    func receive(_ notification: UnsafeMutablePointer<PGnotify>) {
        guard !receivers.isEmpty else { return }
        let message = PostgresNotification(
            channel: String(cString: notification.pointee.relname),
            payload: notification.pointee.extra.map { String(cString: $0) } ?? "",
            processID: notification.pointee.be_pid)
        for receiver in receivers.values { receiver.receive(message) }
    }

    /// Nobody gets any more: the connection has ended, or those who had it have given it back.
    func end(throwing error: PostgresError? = nil) {
        let all = receivers.values
        receivers = [:]
        for receiver in all { receiver.end(error) }
    }
}
