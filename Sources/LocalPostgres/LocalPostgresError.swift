/// Why a private cluster could not be started, used or stopped.
public struct LocalPostgresError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, for code that decides by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private let name: String

        /// PostgreSQL's server programs, or an account to run them under, are not installed.
        public static let serverNotInstalled = Code(name: "serverNotInstalled")
        /// The directory cannot hold a cluster: wrong owner, not reachable for the server's account, other
        /// contents.
        public static let unusableDirectory = Code(name: "unusableDirectory")
        /// The data was written by another major version of PostgreSQL, or a server not started by us runs on
        /// it.
        public static let incompatibleData = Code(name: "incompatibleData")
        /// A program (`initdb`, `createdb`…) ended with another status than 0.
        public static let commandFailed = Code(name: "commandFailed")
        /// The server ended, or did not become ready in time, after it was started.
        public static let serverNotStarted = Code(name: "serverNotStarted")
        /// Another process kept the cluster's lock for longer than a start or stop may take.
        public static let busy = Code(name: "busy")
        /// The cluster was used after `stop()`.
        public static let stopped = Code(name: "stopped")
        /// A system call failed; the message names it.
        public static let systemCall = Code(name: "systemCall")

        /// The name of the constant.
        public var description: String { name }
    }

    /// What went wrong.
    public let code: Code
    /// What was attempted, with which value, and what to do next.
    public let message: String
    /// The command line that failed, when one did.
    public let command: String?
    /// Exit status of `command`; 128 + n when signal n ended it, as a shell reports it.
    public let exitStatus: Int32?
    /// The last lines the command, or the server, wrote.
    public let output: String

    init(
        _ code: Code, _ message: String, command: String? = nil, exitStatus: Int32? = nil, output: String = ""
    ) {
        self.code = code
        self.message = message
        self.command = command
        self.exitStatus = exitStatus
        self.output = output
    }

    /// The message, then the command, its status and its last output, each on lines of its own.
    public var description: String {
        var lines = [message]
        if let command {
            let ending = exitStatus.map { " (exit status \($0))" } ?? ""
            lines.append("command: \(command)\(ending)")
        }
        if !output.isEmpty { lines.append(output) }
        return lines.joined(separator: "\n")
    }
}
