import Glibc

/// A lock between processes, held through a file. Twisted's DeferredFilesystemLock.
///
/// Held by flock(2) on the open file, so it is gone with the process that holds it, however that ends; the file itself
/// stays and says nothing. Two objects of one process exclude each other, too. Reactor only.
@ReactorActor
public final class FilesystemLock {
    /// The lock file. Made when missing, readable by its owner only.
    public nonisolated let path: String
    private let reactor: Reactor
    private let retryInterval: Duration
    /// Unsafe for `deinit` alone, which excludes all else.
    private nonisolated(unsafe) var fd: Int32 = -1
    private var isWaiting = false

    /// A lock by the file at `path`.
    ///
    /// - Parameter retryInterval: how often a lock that another holds is tried again.
    public init(_ path: String, on reactor: Reactor = .current, retryInterval: Duration = .seconds(1)) {
        self.path = path
        self.reactor = reactor
        self.retryInterval = retryInterval
    }

    deinit { if fd >= 0 { Self.giveUp(fd) } }

    /// Whether this object holds the lock.
    public var isLocked: Bool { fd >= 0 }

    /// Takes the lock if nobody holds it. Whether it did. Never waits.
    ///
    /// - Throws: `ReactorError` with code `systemCall` when the file cannot be opened or locked.
    /// - Precondition: this object does not hold it already.
    public func tryLock() throws(ReactorError) -> Bool {
        precondition(!isLocked, "FilesystemLock(\(path)) is locked by this object already")
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            let code = errno
            throw ReactorError(
                .systemCall, "the lock file \(path) cannot be opened: \(errnoText(code))", errno: code)
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(file)
            if code == EWOULDBLOCK || code == EINTR { return false }
            throw ReactorError(
                .systemCall, "the lock file \(path) cannot be locked: \(errnoText(code))", errno: code)
        }
        fd = file
        return true
    }

    /// Fires once the lock is held: tries now, and again every `retryInterval`. Never waits. Cancelling gives up.
    ///
    /// Fails with `DeferredError` of code `timedOut` after `timeout`, or with the `ReactorError` of `tryLock()`.
    /// - Precondition: no other `deferUntilLocked` of this object is under way.
    public func deferUntilLocked(
        timeout: Duration? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Deferred<Void> {
        precondition(!isWaiting, "FilesystemLock(\(path)): deferUntilLocked() is under way already")
        isWaiting = true
        let attempt = Attempt()
        let deferred = Deferred<Void>(
            onCancel: { _ in attempt.timer?.cancelIfActive() }, file: file, line: line)
        // Neither can throw: a cancelled attempt is not made again.
        func tryAgain() {
            do {
                if try tryLock() {
                    try? deferred.callback(())
                } else {
                    attempt.timer = reactor.callLater(retryInterval) { tryAgain() }
                }
            } catch { try? deferred.errback(error) }
        }
        tryAgain()
        let locked = deferred.addBoth(
            { [self] result -> Void in
                isWaiting = false
                try result.get()
            }, file: file, line: line)
        return timeout.map { locked.addTimeout($0, on: reactor, file: file, line: line) } ?? locked
    }

    private final class Attempt { var timer: DelayedCall? }

    /// Lets another have the lock.
    ///
    /// - Precondition: this object holds it.
    public func unlock() {
        precondition(isLocked, "unlock() of FilesystemLock(\(path)), which this object does not hold")
        Self.giveUp(fd)
        fd = -1
    }

    /// Closing alone is not enough: a child between its fork and its exec has the file open, too, and holds the lock.
    private nonisolated static func giveUp(_ file: Int32) {
        flock(file, LOCK_UN)
        close(file)
    }
}
