import CLibPQ
import ConnectionPools
import Glibc
import ReactorCore

extension PostgresSession {
    /// Logs out and returns when the server has let go too, or after two seconds; after half of one where it had gone
    /// away, since somebody may need the place.
    ///
    /// PQfinish sends Terminate and closes the socket at once, while the server still counts the session. A
    /// second descriptor of the same socket shows when the server has closed its end, which it does last of all: only
    /// then may the pool open another connection without exceeding its maximum for the server.
    func close() async {
        if isInherited { return abandon() }
        // A connection that libpq has found dead has no socket any more.
        let hasSocket = handle.map { PQsocket($0) == descriptor } ?? false
        lose(PostgresError(.connectionClosed, "the connection has been closed"), .alone)
        let witness = hasSocket ? fcntl(descriptor, F_DUPFD_CLOEXEC, 3) : -1
        guard let handle = takeHandle() else {
            if witness >= 0 { Glibc.close(witness) }
            return
        }
        PQfinish(handle)
        guard witness >= 0 else { return }
        let reactor = reactor
        let limit: Duration = loss == .serverGone ? .milliseconds(500) : .seconds(2)
        // Not in the caller's task: a cancelled one waits for nothing.
        let leaving = reactor.startTask {
            let deadline = reactor.now.advanced(by: limit)
            var rest = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(witness, &rest, rest.count, Int32(MSG_DONTWAIT))
                if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { break }
                if count > 0 { continue }
                let limit = max(.zero, reactor.now.duration(to: deadline))
                do { try await reactor.waitUntilReadable(witness, timeout: limit) } catch { break }
            }
            reactor.descriptorWillClose(witness)
            Glibc.close(witness)
        }
        await leaving.value
    }
}
