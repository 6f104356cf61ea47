import Glibc

/// An advisory lock (flock(2)) on a file of its own, held until the last descriptor of this opening is
/// closed, in this process and in those it was handed to: the kernel lets go of it however a process dies.
final class FileLock: Sendable {
    enum Kind: Int32 {
        case shared = 1
        case exclusive = 2
    }

    let descriptor: Descriptor

    private init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    /// Takes the lock, or returns nil when someone else's lock excludes it. Never waits.
    static func tryAcquire(
        _ path: String, _ kind: Kind, owner: ServerAccount
    ) throws(LocalPostgresError) -> FileLock? {
        let descriptor = try Descriptor.open(path, O_RDWR | O_CREAT, owner: owner)
        while flock(descriptor.number, kind.rawValue | LOCK_NB) != 0 {
            let error = ErrorNumber.current
            if error.value == EWOULDBLOCK { return nil }
            if error.value != EINTR { throw error.error("flock", path) }
        }
        return FileLock(descriptor)
    }

    /// Takes the lock, waiting for others up to `seconds`.
    static func acquire(
        _ path: String, _ kind: Kind, owner: ServerAccount, seconds: Int
    ) throws(LocalPostgresError) -> FileLock {
        // flock(2) has no timeout, and an alarm signal is not a library's to use: poll.
        var remaining = seconds * 50
        while true {
            if let lock = try tryAcquire(path, kind, owner: owner) { return lock }
            guard remaining > 0 else {
                throw LocalPostgresError(
                    .busy,
                    "\(path): another process has been starting or stopping this cluster for \(seconds) s")
            }
            remaining -= 1
            usleep(20_000)
        }
    }
}
