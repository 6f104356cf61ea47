import Glibc
import Logging

extension Reactor {
    /// What a reactor waits in: the kernel's interface under its loop.
    ///
    /// Backends differ in speed, not in what the reactor does. Extensible: keep a default case.
    ///
    /// ```swift
    /// let reactor = try Reactor(backend: .ioUring)
    /// ```
    public struct Backend: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case automatic, epoll
            case ioUring = "io_uring"
        }

        private let name: Name

        /// What `ReactorConfiguration.backend` names when the reactor is made, which the environment's `REACTOR_BACKEND` sets
        /// (`epoll` or `io_uring`), else epoll.
        ///
        /// epoll unless asked: it is there in every kernel and every container, where io_uring is often forbidden, and
        /// a descriptor that is closed behind the reactor's back is really closed. When the kernel refuses what the
        /// configuration asks for, a warning is logged and epoll taken.
        public static let automatic = Backend(name: .automatic)
        /// epoll(7): a system call a registration, one a turn. Any Linux.
        public static let epoll = Backend(name: .epoll)
        /// io_uring(7), Linux 5.13 or newer: one system call a turn, whatever the turn registers.
        /// Where one thread served both ends of its sockets, epoll was measured to need less time.
        ///
        /// A trap: while somebody waits for a descriptor, the kernel holds its file. Closed meanwhile without
        /// `descriptorWillClose`, it stays open to its peer until the wait ends. And one that is closed and opened anew
        /// in the turn that began a wait is waited for as what it is at the end of that turn. That a number means
        /// another file than somebody waits for is seen with Linux 6.0 or newer only.
        public static let ioUring = Backend(name: .ioUring)

        /// The backend's name, as `REACTOR_BACKEND` has it.
        public var description: String { name.rawValue }

        /// Whether a reactor can be made with it in this process. Any thread; tries it out, so ask once.
        public var isAvailable: Bool { (try? Poller(self)) != nil }

        /// What `automatic` means to a task: tests set it.
        @TaskLocal package static var preferred: Backend?

        static func unavailable(_ code: Int32) -> ReactorError {
            let reason =
                switch code {
                case ENOSYS: "this kernel was built without it"
                case EPERM, EACCES:
                    "it is forbidden here (kernel.io_uring_disabled, or the container's filter)"
                case EOPNOTSUPP: "it needs Linux 5.13"
                case ENOMEM: "no memory for it: is the limit of locked memory (ulimit -l) too low?"
                default: errnoText(code)
                }
            return ReactorError(
                .backendUnavailable, "io_uring cannot be used: \(reason); take the backend .epoll",
                errno: code)
        }

        /// The poller of a reactor made without naming a backend.
        static func automaticPoller(_ configured: Backend, _ logger: Logger) -> Poller {
            do {
                if (preferred ?? configured) == .ioUring {
                    do throws(ReactorError) { return try Poller(.ioUring) } catch {
                        logger.warning("the backend io_uring is asked for and epoll taken: \(error.message)")
                    }
                }
                return try Poller(.epoll)
            } catch {
                preconditionFailure("a reactor without a backend: \(error)")
            }
        }

        private init(name: Name) { self.name = name }

        /// The backend of that name, as `REACTOR_BACKEND` has it; nil for a name that none has.
        init?(named text: String) {
            guard let name = Name(rawValue: text) else { return nil }
            self.name = name
        }
    }

    /// The backend it runs on: `.epoll` or `.ioUring`, never `.automatic`. Any thread.
    public var backend: Backend { poller.backend }
}
