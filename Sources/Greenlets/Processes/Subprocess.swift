import CLinux
import Glibc
public import ReactorCore

/// A child process whose end, input and output are waited for without blocking the thread: gevent's `subprocess`.
///
/// ```swift
/// let done = try await Subprocess.run("git", "status", "--short", timeout: .seconds(10))
/// print(done.status!, done.outputText)
///
/// let sort = try Subprocess.start("sort", "-n")
/// try await withSubprocess(sort) { sort in
///     try await sort.input?.write("3\n1\n2\n")
///     sort.input?.close()
///     for try await line in sort.output!.lines() { print(line) }
/// }
/// ```
/// Every call that waits has an `async` form and one for synchronous code in a greenlet.
///
/// **No zombie.** The reactor notices the child's end by a pidfd and fetches its status at once, whether anybody waits or not, without
/// a handler for SIGCHLD; children of other code are left alone. A child whose object is released lives on.
///
/// **Descriptors.** A child inherits its standard input, output and errors, and nothing else.
///
/// Reactor only.
@ReactorActor
public final class Subprocess {
    /// What a standard descriptor of a child is.
    public enum Redirection: Sendable {
        /// A pipe, whose other end the object has.
        case pipe
        /// /dev/null.
        case null
        /// That of this process.
        case inherited
        /// This open descriptor, which stays the caller's.
        case descriptor(Int32)
    }

    /// How a child is started.
    public struct Options: Sendable {
        /// Where it runs; nil for where this process does.
        public var directory: String?
        /// All its variables; nil for those of this process.
        public var environment: [String: String]?
        /// Whether it leads a process group of its own, which `signal(_:)` then reaches as a whole; Ctrl-C at the terminal does not.
        public var hasOwnGroup = false
        /// Its standard input.
        public var input = Redirection.pipe
        /// Its standard output.
        public var output = Redirection.pipe
        /// Its standard errors.
        public var errors = Redirection.pipe
        /// Whether errors go where the output goes; then `errors` is not looked at.
        public var mergesErrors = false

        /// Three pipes, in the directory and with the variables of this process.
        public init() {}
    }

    /// Its number.
    public nonisolated let processID: Int32
    /// The program, for messages.
    public nonisolated let program: String
    /// Writes to its standard input, if that is a pipe; close it to end the input.
    public let input: GreenPipe?
    /// Reads its standard output, if that is a pipe.
    public let output: GreenPipe?
    /// Reads its standard errors, if that is a pipe.
    public let errors: GreenPipe?
    /// How it ended; nil while it runs. Python's `poll`.
    public var status: Status? { child.status }

    let child: Child
    let reactor: Reactor
    /// What `communicate` has read so far, and has still to write.
    var collected = Output()
    var unsent: [UInt8]?

    init(_ program: String, _ child: Child, input: GreenPipe?, output: GreenPipe?, errors: GreenPipe?) {
        self.program = program
        self.child = child
        processID = child.processID
        reactor = child.reactor
        self.input = input
        self.output = output
        self.errors = errors
    }

    /// Sends a signal, to its whole group if it has one of its own; whether it had not ended before. Never waits, and never reaches
    /// another process.
    ///
    /// - Throws: `GreenletError` with code `systemCall` (EPERM, when it runs as another user; EINVAL).
    @discardableResult
    public func signal(_ number: Int32) throws -> Bool { try child.signal(number) }

    /// Asks it to end: SIGTERM. As `signal(_:)`.
    @discardableResult public func terminate() throws -> Bool { try signal(SIGTERM) }

    /// Ends it: SIGKILL. As `signal(_:)`.
    @discardableResult public func kill() throws -> Bool { try signal(SIGKILL) }

    /// Parks until it has ended, and returns how. Any number of tasks may wait.
    ///
    /// One that writes more than a pipe holds, 64 KiB, ends only when that is read: see `communicate`.
    /// - Throws: `SubprocessError` with code `timedOut` after `timeout`; `CancellationError`. The child lives on.
    public func wait(timeout: Duration? = nil) async throws -> Status {
        try await child.wait(timeout: timeout) { [program, collected] in
            SubprocessError(
                .timedOut, "the program \(program) took longer than \(timeout ?? .zero)", output: collected)
        }
    }

    /// Ends it if it has not ended, and parks until it has, whatever happens to the calling task; closes the pipes.
    public func end() async {
        _ = try? kill()
        input?.close()
        output?.close()
        errors?.close()
        await child.waitUncancellably()
    }
}

extension Subprocess: Waitable {
    /// Whether it has ended.
    public var isReady: Bool { status != nil }

    /// As the protocol says: `Greenlet.wait(for:)` and `completions(of:)` take children, too.
    @discardableResult
    public func onReady(_ action: @escaping @ReactorActor () -> Void) -> ReadinessLink {
        child.links.add(isReady: isReady, action)
    }
}
