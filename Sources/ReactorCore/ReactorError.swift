/// An error of the reactor itself: a wait that ended without its event, or a call made at the wrong time.
///
/// Codes are extensible: match with `error.code == .timedOut`, and keep a default case.
public struct ReactorError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, as a value that can be compared.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case alreadyRunning, notRunning, crashed, timedOut, descriptorClosed, descriptorBusy, systemCall
            case timerAlreadyFired, timerAlreadyCancelled, threadPoolStopped, nameNotFound
            case invalidArgument, wouldBlockItself, nameServiceFailed, backendUnavailable, didNotSwitch
            case waitCancelled
        }

        private let name: Name

        /// `run()` was called on a reactor that runs.
        public static let alreadyRunning = Code(name: .alreadyRunning)
        /// `stop()` was called on a reactor that does not run, or stops already.
        public static let notRunning = Code(name: .notRunning)
        /// `crash()` ended the loop before what was waited for.
        public static let crashed = Code(name: .crashed)
        /// A deadline passed before the event.
        public static let timedOut = Code(name: .timedOut)
        /// The descriptor was closed while it was waited for, or was not open at all (EBADF).
        public static let descriptorClosed = Code(name: .descriptorClosed)
        /// Somebody else already waits for that direction of the descriptor.
        public static let descriptorBusy = Code(name: .descriptorBusy)
        /// A system call failed; the message names it and its errno.
        public static let systemCall = Code(name: .systemCall)
        /// A delayed call was cancelled or moved after it ran.
        public static let timerAlreadyFired = Code(name: .timerAlreadyFired)
        /// A delayed call was cancelled twice.
        public static let timerAlreadyCancelled = Code(name: .timerAlreadyCancelled)
        /// Work was handed to a thread pool that had been stopped.
        public static let threadPoolStopped = Code(name: .threadPoolStopped)
        /// A host name has no address; the message says what the resolver answered.
        public static let nameNotFound = Code(name: .nameNotFound)
        /// Nobody could say whether a host has an address: a name server is silent or fails. Asking again may
        /// help.
        public static let nameServiceFailed = Code(name: .nameServiceFailed)
        /// A value that no call of the kind can use: a pool of no threads, a port above 65535.
        public static let invalidArgument = Code(name: .invalidArgument)
        /// The kernel refuses what the reactor was asked to wait in; the message says why.
        public static let backendUnavailable = Code(name: .backendUnavailable)
        /// Code under `assertSwitches` kept the loop for itself.
        public static let didNotSwitch = Code(name: .didNotSwitch)
        /// `cancelWait(on:)` ended a wait for a descriptor.
        public static let waitCancelled = Code(name: .waitCancelled)
        /// The reactor's own thread was about to wait for the reactor.
        public static let wouldBlockItself = Code(name: .wouldBlockItself)

        /// The code's name, such as `timedOut`.
        public var description: String { name.rawValue }
    }

    /// What went wrong.
    public let code: Code
    /// One sentence for a person: the operation, the value, and what to do when there is something to do.
    public let message: String
    /// errno of the system call behind it, where there was one.
    public let errno: Int32?

    /// Makes an error.
    public init(_ code: Code, _ message: String, errno: Int32? = nil) {
        self.code = code
        self.message = message
        self.errno = errno
    }

    /// The message.
    public var description: String { message }

    /// Whether a deadline passed.
    public var isTimeout: Bool { code == .timedOut }
}
