/// What a cooperator or a cooperative task cannot do any more, or not now.
public struct CooperatorError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, as a value that can be compared.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String { case schedulerStopped, taskDone, taskStopped, taskFailed, notPaused }
        private let name: Name

        /// The cooperator was stopped, before the task was added or before it had ended. Twisted's SchedulerStopped.
        public static let schedulerStopped = Code(name: .schedulerStopped)
        /// The task has come to the end of its steps. Twisted's TaskDone.
        public static let taskDone = Code(name: .taskDone)
        /// The task was stopped. Twisted's TaskStopped.
        public static let taskStopped = Code(name: .taskStopped)
        /// A step of the task failed; `underlying` is its error. Twisted's TaskFailed.
        public static let taskFailed = Code(name: .taskFailed)
        /// `resume()` without `pause()`. Twisted's NotPaused.
        public static let notPaused = Code(name: .notPaused)

        /// The code's name, such as `taskDone`.
        public var description: String { name.rawValue }
    }

    /// What went wrong.
    public let code: Code
    /// One sentence for a person.
    public let message: String
    /// The error of the step, for `taskFailed`.
    public let underlying: (any Error)?

    /// The message.
    public var description: String { message }

    init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }
}
