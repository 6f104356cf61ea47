import Glibc

extension Subprocess {
    /// How a child ended.
    public enum Status: Hashable, Sendable, CustomStringConvertible {
        /// By itself, with this code: zero for success.
        case exited(Int32)
        /// By this signal.
        case signalled(Int32)
        /// Nobody knows: other code of the process waited for it, or SIGCHLD is ignored.
        case unknown

        /// Whether it says that all went well.
        public var isSuccess: Bool { self == .exited(0) }

        /// `exit code 1`, `signal 9 (Killed)`.
        public var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .signalled(let number):
                "signal \(number)" + (strsignal(number).map { " (\(String(cString: $0)))" } ?? "")
            case .unknown: "an unknown status: other code of the process has waited for it"
            }
        }

        /// Of `si_code` and `si_status`.
        init(code: Int32, status: Int32) {
            self = code == Int32(CLD_EXITED) ? .exited(status) : .signalled(status)
        }
    }

    /// What a child wrote, and how it ended.
    public struct Output: Hashable, Sendable {
        /// How it ended; nil when it has not yet.
        public var status: Status?
        /// What it wrote to its standard output, as far as that was a pipe.
        public var output: [UInt8] = []
        /// What it wrote to its standard errors, as far as that was a pipe.
        public var errors: [UInt8] = []

        /// The output in UTF-8; bytes that are none become U+FFFD.
        public var outputText: String { String(decoding: output, as: UTF8.self) }
        /// The errors in UTF-8; bytes that are none become U+FFFD.
        public var errorText: String { String(decoding: errors, as: UTF8.self) }
    }
}

/// What went wrong with a child. Names the program, not its arguments, which may be secret.
public struct SubprocessError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, as a value that can be compared.
    public struct Code: Hashable, Sendable {
        private enum Name { case notStarted, timedOut, failed, invalidArgument }
        private let name: Name

        /// The program could not be started; `errno` says why.
        public static let notStarted = Code(name: .notStarted)
        /// The time was over before it had ended; `output` is what it wrote by then.
        public static let timedOut = Code(name: .timedOut)
        /// It ended, but not with success; `output` says how.
        public static let failed = Code(name: .failed)
        /// A command, a path or a variable that no program can be given.
        public static let invalidArgument = Code(name: .invalidArgument)
    }

    /// What went wrong.
    public let code: Code
    /// One sentence for a person.
    public let message: String
    /// errno of the system call behind it, where there was one.
    public let errno: Int32?
    /// What the child had written by then.
    public let output: Subprocess.Output

    /// The message.
    public var description: String { message }
    /// Whether a deadline passed.
    public var isTimeout: Bool { code == .timedOut }

    init(_ code: Code, _ message: String, errno: Int32? = nil, output: Subprocess.Output = .init()) {
        self.code = code
        self.message = message
        self.errno = errno
        self.output = output
    }
}
