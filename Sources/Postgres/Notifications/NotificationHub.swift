import CLibPQ
import ReactorCore

/// Hands a session's notifications to those who want them; without anybody they are dropped.
@ReactorActor
final class NotificationHub {
    private var nextNumber = 0
    private var receivers: [Int: @ReactorActor (Result<PostgresNotification, PostgresError>) -> Void] = [:]
    private var ending: PostgresError?

    nonisolated init() {}

    /// Calls `receiver` with each notification, and with an error once the connection has ended. Returns what to give to
    /// `remove`.
    func add(_ receiver: @escaping @ReactorActor (Result<PostgresNotification, PostgresError>) -> Void) -> Int
    {
        nextNumber += 1
        if let ending { receiver(.failure(ending)) } else { receivers[nextNumber] = receiver }
        return nextNumber
    }

    func remove(_ number: Int) { receivers[number] = nil }

    func receive(_ notification: UnsafeMutablePointer<PGnotify>) {
        guard !receivers.isEmpty else { return }
        let event = PostgresNotification(
            channel: String(cString: notification.pointee.relname),
            payload: notification.pointee.extra.map { String(cString: $0) } ?? "",
            processID: notification.pointee.be_pid)
        for receiver in receivers.values { receiver(.success(event)) }
    }

    func end(throwing error: PostgresError) {
        guard ending == nil else { return }
        ending = error
        let all = receivers.values
        receivers = [:]
        for receiver in all { receiver(.failure(error)) }
    }
}
