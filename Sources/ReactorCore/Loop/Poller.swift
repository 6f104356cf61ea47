import CLinux
import Glibc

/// The kernel side of the loop: what it waits in, one case a backend.
///
/// An enum of final classes, so that a call costs one branch and the closures of `wait` can be inlined: one look at
/// the kernel may mean hundreds of events.
enum Poller: Sendable {
    case epoll(EpollPoller)
    case ring(RingPoller)

    init(_ backend: Reactor.Backend) throws(ReactorError) {
        self = backend == .ioUring ? .ring(try RingPoller()) : .epoll(try EpollPoller())
    }

    /// What to do with a registration.
    enum Operation: Int32 {
        case add = 1, delete = 2, modify = 3  // EPOLL_CTL_ADD, _DEL, _MOD
    }

    /// Readable when there are events.
    var descriptor: Int32 {
        switch self {
        case .epoll(let poller): poller.epoll
        case .ring(let poller): poller.descriptor
        }
    }

    var backend: Reactor.Backend {
        switch self {
        case .epoll: .epoll
        case .ring: .ioUring
        }
    }

    /// Ends the current or the next wait. Any thread.
    func wake() {
        switch self {
        case .epoll(let poller): poller.wake()
        case .ring(let poller): poller.wake()
        }
    }

    /// Sets what is reported for a descriptor. Returns 0 or −errno.
    func control(_ operation: Operation, _ fd: Int32, events: UInt32, generation: UInt32) -> Int32 {
        switch self {
        case .epoll(let poller): poller.control(operation, fd, events: events, generation: generation)
        case .ring(let poller): poller.control(operation, fd, events: events, generation: generation)
        }
    }

    /// Whether a registered number means another file than when it was registered, or none: it was closed behind the
    /// reactor's back.
    func hasLost(_ fd: Int32, events: UInt32, generation: UInt32) -> Bool {
        switch self {
        case .epoll(let poller):
            Self.isLoss(poller.control(.modify, fd, events: events, generation: generation))
        case .ring(let poller): poller.hasLost(fd)
        }
    }

    /// Whether the change of a registration failed because there is none of the file that the number means: epoll knows files.
    static func isLoss(_ result: Int32) -> Bool {
        switch -result {
        case ENOENT, EBADF, EPERM: true  // EPERM: a regular file
        default: false
        }
    }

    /// Whether a registration keeps its file open, so that it must end with the last who waits.
    var holdsFiles: Bool {
        if case .ring = self { true } else { false }
    }

    /// Lets go of what the parent of a forked process shares.
    func adopt() {
        // That of epoll, two descriptors, was made anew before fork returned.
        if case .ring(let poller) = self { poller.adopt() }
    }

    /// The calling thread is about to run the loop, until `endUse()`.
    func beginUse() {
        if case .ring(let poller) = self { poller.beginUse() }
    }

    /// The loop rests; `descriptor` speaks for it.
    func endUse() {
        if case .ring(let poller) = self { poller.endUse() }
    }

    /// Whether a wait was interrupted since the last call.
    func takeInterruption() -> Bool {
        switch self {
        case .epoll(let poller):
            defer { poller.wasInterrupted = false }
            return poller.wasInterrupted
        case .ring(let poller):
            defer { poller.wasInterrupted = false }
            return poller.wasInterrupted
        }
    }

    static func failure(_ call: String, _ code: Int32) -> ReactorError {
        ReactorError(
            .systemCall, "\(call) failed: \(errnoText(code)); is the descriptor limit reached?", errno: code)
    }
}

/// `No such file or directory (errno 2)`: the text of an errno for messages.
package func errnoText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "errno \(code)" }
    let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(text) (errno \(code))"
}
