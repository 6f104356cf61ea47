public import ReactorCore

/// An error of the greenlet machinery itself.
public struct GreenletError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, as a value that can be compared.
    public struct Code: Hashable, Sendable {
        private enum Name {
            case notInGreenlet, timedOut, outOfStacks, closed, full, alreadySet, notHeld
            case waitsForItself, scopeClosed, alreadyInstalled, reactorRuns
            case busy, connectFailed, endOfStream, tooLong, systemCall, invalidArgument
        }

        private let name: Name

        /// A call that parks the calling greenlet was made by code that no greenlet runs.
        public static let notInGreenlet = Code(name: .notInGreenlet)
        /// A deadline passed before the event.
        public static let timedOut = Code(name: .timedOut)
        /// What was waited for has been closed.
        public static let closed = Code(name: .closed)
        /// There is no room: a pool had no free slot in time.
        public static let full = Code(name: .full)
        /// What is given once has been given.
        public static let alreadySet = Code(name: .alreadySet)
        /// What was to be given back is not held, or not by the caller: a lock, a permit, a task of a queue.
        public static let notHeld = Code(name: .notHeld)
        /// The system gave no memory for another stack.
        public static let outOfStacks = Code(name: .outOfStacks)
        /// A greenlet was about to wait for its own end.
        public static let waitsForItself = Code(name: .waitsForItself)
        /// A greenlet was to be spawned in a scope that is over, or whose greenlets are being ended.
        public static let scopeClosed = Code(name: .scopeClosed)
        /// `GreenletReactor.install()` was called a second time.
        public static let alreadyInstalled = Code(name: .alreadyInstalled)
        /// `GreenletReactor.install()` came too late: the reactor, or one on the calling thread, runs already.
        public static let reactorRuns = Code(name: .reactorRuns)
        /// Another greenlet reads from the socket or pipe, or writes to it, already. gevent's ConcurrentObjectUseError.
        public static let busy = Code(name: .busy)
        /// None of a host's addresses could be connected to; `causes` has what became of each.
        public static let connectFailed = Code(name: .connectFailed)
        /// The peer ended the stream before all that was asked for had come.
        public static let endOfStream = Code(name: .endOfStream)
        /// A line goes on for longer than it may.
        public static let tooLong = Code(name: .tooLong)
        /// A system call failed; the message names it, `errno` has its error.
        public static let systemCall = Code(name: .systemCall)
        /// A value that no call of the kind can use.
        public static let invalidArgument = Code(name: .invalidArgument)
    }

    /// What went wrong.
    public let code: Code
    /// One sentence for a person.
    public let message: String
    /// errno of the system call behind it, where there was one.
    public let errno: Int32?
    /// What went wrong before, one by one: the attempts of a connect.
    public let causes: [any Error]

    /// The message.
    public var description: String { message }

    /// Whether a deadline passed.
    public var isTimeout: Bool { code == .timedOut }

    package init(_ code: Code, _ message: String, errno: Int32? = nil, causes: [any Error] = []) {
        self.code = code
        self.message = message
        self.errno = errno
        self.causes = causes
    }
}

/// What a killed greenlet ends with, unless its killer named another error. Not a failure: nothing is logged
/// for it.
public struct GreenletExit: QuietError, Sendable, Hashable, CustomStringConvertible {
    /// The usual end of a killed greenlet.
    public init() {}

    /// Says that the greenlet was killed.
    public var description: String { "the greenlet was killed" }
}
