import CLinux
import Glibc

/// An open regular file, read and written without holding up the loop: gevent's `FileObject`.
///
/// ```swift
/// let file = try await reactor.openFile("/var/tmp/log", .readingAndWriting, [.create, .append])
/// try await file.write(Array("one line\n".utf8))
/// let start = try await file.read(512, at: 0)
/// try await file.close()
/// ```
/// Each call parks the calling task while the kernel or a worker thread does the work; see `Reactor.FileEngine`.
///
/// **Cancellation.** A task that is cancelled before a call gets `CancellationError` and nothing is done. Once begun, an
/// operation cannot be stopped: the call waits for its end, and returns its result, cancelled or not.
///
/// **Order.** Calls without an offset use and move the file's position; they are done one after another, first come
/// first served. Calls with an offset are done at once, beside each other.
///
/// Reactor only. Released without `close()` it is closed by a worker thread, and nobody hears of errors. Not for pipes,
/// sockets and terminals, which have waits of their own.
@ReactorActor
public final class FileIO {
    /// How a file may be used.
    public enum Access: Sendable {
        /// O_RDONLY.
        case reading
        /// O_WRONLY.
        case writing
        /// O_RDWR.
        case readingAndWriting

        var flags: Int32 {
            switch self {
            case .reading: O_RDONLY
            case .writing: O_WRONLY
            case .readingAndWriting: O_RDWR
            }
        }
    }

    /// What else an open does.
    public struct OpenOptions: OptionSet, Sendable {
        /// The flags of open(2).
        public let rawValue: Int32
        /// Makes options from flags of open(2).
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Makes the file if there is none.
        public static let create = OpenOptions(rawValue: O_CREAT)
        /// With `create`: the file must be new.
        public static let exclusive = OpenOptions(rawValue: O_EXCL)
        /// Empties it.
        public static let truncate = OpenOptions(rawValue: O_TRUNC)
        /// Every write goes to the end of the file, with an offset too: that is what Linux does.
        public static let append = OpenOptions(rawValue: O_APPEND)
        /// A link at the end of the path is an error.
        public static let noFollow = OpenOptions(rawValue: O_NOFOLLOW)
    }

    /// The descriptor, for calls that this type does not have; closed by `close()`.
    public nonisolated let descriptor: Int32
    /// The path it was opened by, or another name; for messages.
    public nonisolated let path: String

    let reactor: Reactor
    private nonisolated(unsafe) var isOpen = true  // reactor only, then deinit
    private var operations = 0
    private var closing: Latch?

    /// Takes over an open descriptor of a regular file, and closes it some day.
    ///
    /// - Parameters:
    ///   - path: what messages call it.
    ///   - reactor: the reactor to work on.
    public init(adopting descriptor: Int32, path: String, on reactor: Reactor = .current) {
        self.descriptor = descriptor
        self.path = path
        self.reactor = reactor
    }

    deinit {
        guard isOpen else { return }
        let descriptor = descriptor
        do { try reactor.threadPool.submit { Glibc.close(descriptor) } } catch { Glibc.close(descriptor) }
    }

    /// Closes the file, after the operations under way. Not to be cancelled: it is closed in any case.
    ///
    /// - Throws: `ReactorError` with code `descriptorClosed` when it was closed before, or `systemCall` for what the
    ///   system could not write any more; the descriptor is closed then, too.
    public func close() async throws {
        guard isOpen else { throw closedError("close") }
        isOpen = false
        if operations > 0 {
            let latch = Latch(on: reactor, for: .thread)
            closing = latch
            try? await latch.waitUntilOpenUncancellably()  // never opened with an error
        }
        try check(await reactor.perform(.close(descriptor)), "close")
    }

    /// Has what was written reach the device: fsync(2).
    ///
    /// - Parameter dataOnly: leave out what is not needed to read the data again, such as times: fdatasync(2).
    /// - Throws: as `read(_:at:)`.
    public func synchronize(dataOnly: Bool = false) async throws {
        let name = dataOnly ? "fdatasync" : "fsync"
        try begin(name)
        defer { end() }
        try check(await reactor.perform(.synchronize(descriptor, dataOnly: dataOnly)), name)
    }

    // MARK: Operations

    /// Counts an operation, which may have parts, until `end()`: `close()` waits for it, so that no part is done to the
    /// next owner of the number.
    func begin(_ name: String) throws {
        guard isOpen else { throw closedError(name) }
        try Task.checkCancellation()
        operations += 1
    }

    func end() {
        operations -= 1
        if operations == 0 { closing?.open() }
    }

    @discardableResult
    func check(_ result: Int, _ name: @autoclosure () -> String) throws -> Int {
        guard result < 0 else { return result }
        let code = Int32(-result)
        throw ReactorError(.systemCall, "\(name()) of \(path) failed: \(errnoText(code))", errno: code)
    }

    private func closedError(_ name: String) -> ReactorError {
        ReactorError(.descriptorClosed, "\(name) of \(path), which is closed", errno: EBADF)
    }
}

extension Reactor {
    /// Opens a file; the calling task parks meanwhile. Closed on exec.
    ///
    /// - Parameters:
    ///   - path: relative to the process's directory unless it begins with a slash.
    ///   - permissions: of a file that is made, less the process's mask.
    /// - Throws: `ReactorError` with code `systemCall` and errno, such as ENOENT; `CancellationError` when the task
    ///   was cancelled before: nothing is opened then.
    @ReactorActor public func openFile(
        _ path: String, _ access: FileIO.Access = .reading, _ options: FileIO.OpenOptions = [],
        permissions: UInt32 = 0o666
    ) async throws -> FileIO {
        try Task.checkCancellation()
        let name = strdup(path)
        defer { free(name) }
        // The path is long, but a mere copy: strdup fails for lack of memory only.
        guard let name else { throw ReactorError(.systemCall, "open of \(path): no memory", errno: ENOMEM) }
        guard strlen(name) == path.utf8.count else {
            throw ReactorError(
                .invalidArgument, "open of \(path.debugDescription): a path cannot have a zero in it",
                errno: EINVAL)
        }
        let flags = access.flags | options.rawValue | O_CLOEXEC
        let result = await perform(.open(name, flags: flags, mode: permissions))
        guard result >= 0 else {
            let code = Int32(-result)
            throw ReactorError(.systemCall, "open of \(path) failed: \(errnoText(code))", errno: code)
        }
        return FileIO(adopting: Int32(result), path: path, on: self)
    }
}
