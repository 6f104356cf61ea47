import CLinux
import DequeModule
import Glibc

/// Changes of files and directories as they happen: Twisted's `INotify`, over inotify(7).
///
/// ```swift
/// let watcher = try reactor.watchFiles("/var/spool/in", for: [.closedAfterWriting, .movedIn])
/// for try await change in watcher { try await take(change.path) }
/// ```
/// Watches from its creation until `close()`, or until it is released. Changes that come between two iterations are kept,
/// in their order. Iterated by one task at a time. A call that gives a callback has each change handed to that instead.
///
/// **Recursion.** inotify watches directories, not trees. A recursive watcher watches every directory there is when it
/// begins, and each that appears as soon as it hears of it. What was made in a new directory before that is found by
/// looking, and reported as `created`; that it was modified, or moved on, before it was found is not known. Links are not
/// followed. To look through a tree takes time for each directory, on the reactor's thread.
///
/// What inotify cannot see: changes made through a memory map, and those made on other machines of a network file
/// system.
@ReactorActor
public final class FileWatcher: AsyncSequence {
    /// A change.
    public typealias Element = FileChange

    /// How long the first half of a move may wait for the second: they are made by one system call.
    private static let patience = Duration.milliseconds(10)

    private nonisolated let reactor: Reactor
    private let state: State

    /// What outlives a release on another thread, until the reactor has heard of it.
    @ReactorActor
    private final class State {
        unowned let reactor: Reactor
        var tree: WatchedTree
        let callback: (@ReactorActor (FileChange) throws -> Void)?
        private var received: Deque<Result<FileChange, ReactorError>> = []
        private var waiter: Waiter<Void>?
        private var timer: DelayedCall?
        /// Unsafe: reactor only, then deinit.
        private nonisolated(unsafe) let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: 65_536, alignment: 8)
        private(set) var isClosed = false

        init(
            _ tree: WatchedTree, _ reactor: Reactor, _ callback: (@ReactorActor (FileChange) throws -> Void)?
        ) {
            self.tree = tree
            self.reactor = reactor
            self.callback = callback
        }

        deinit { buffer.deallocate() }

        func close() {
            guard !isClosed else { return }
            isClosed = true
            timer?.cancelIfActive()
            reactor.descriptorWillClose(tree.fd)
            Glibc.close(tree.fd)
            received.removeAll()
            waiter?.resume(returning: ())
        }

        /// Reads what the kernel has, up to a megabyte: the rest is there in the next turn.
        func drain() {
            timer?.cancelIfActive()
            timer = nil
            for _ in 0..<16 {
                let count = read(tree.fd, buffer.baseAddress, buffer.count)
                guard count > 0 else {
                    tree.queueIsEmpty()
                    break
                }
                for event in InotifyEvent.all(in: UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
                    tree.receive(event)
                }
            }
            if tree.awaitsArrival {
                timer = reactor.callInternallyLater(FileWatcher.patience) { [unowned self] in
                    tree.flush()
                    deliver()
                }
            }
            deliver()
        }

        private func deliver() {
            let (changes, errors) = tree.take()
            for error in errors { fail(error) }
            guard let callback else {
                received.append(contentsOf: changes.map { .success($0) })
                if !received.isEmpty { waiter?.resume(returning: ()) }
                return
            }
            for change in changes where !isClosed {
                do { try callback(change) } catch {
                    reactor.onUncaughtError(error, "the callback of a file watcher, for \(change)")
                }
            }
        }

        /// A new directory could not be watched.
        private func fail(_ error: ReactorError) {
            if callback == nil {
                received.append(.failure(error))
            } else {
                reactor.onUncaughtError(error, "a file watcher")
            }
        }

        func next() async throws -> FileChange? {
            precondition(callback == nil, "a file watcher with a callback is iterated")
            while received.isEmpty {
                if isClosed { return nil }
                precondition(waiter == nil, "a file watcher is iterated by two tasks at once")
                let waiter = Waiter<Void>(on: reactor)
                self.waiter = waiter
                defer { self.waiter = nil }
                try await waiter.wait()
            }
            return try received.removeFirst().get()
        }
    }

    init(
        _ kinds: Set<FileChange.Kind>, on reactor: Reactor,
        _ callback: (@ReactorActor (FileChange) throws -> Void)?, site: CallSite
    ) throws {
        self.reactor = reactor
        let fd = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard fd >= 0 else {
            let code = errno
            let advice =
                code == EMFILE ? "; raise fs.inotify.max_user_instances, or the descriptor limit" : ""
            throw ReactorError(.systemCall, "inotify_init1 failed: \(errnoText(code))\(advice)", errno: code)
        }
        let state = State(WatchedTree(fd: fd, kinds: kinds), reactor, callback)
        self.state = state
        // When it throws, deinit closes the descriptor.
        try reactor.addReader(fd, .init({ [unowned state] in state.drain() }, site: site, isInternal: true))
    }

    deinit {
        // Any thread, as a sequence of signals.
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { state.close() }
        } else {
            reactor.callFromThread { [reactor, state] in
                withExtendedLifetime(reactor) { state.close() }
            }
        }
    }

    /// The paths that were given, in ascending order, but those that have ended.
    public var paths: [String] { state.tree.roots }

    /// Watches one more file or directory. Never waits.
    ///
    /// - Parameter recursively: whether the directories below it are watched, too, now and when they appear.
    /// - Throws: `ReactorError` with code `systemCall` and errno: the message names the path, and for ENOSPC the limit
    ///   to raise. Nothing has changed then. Code `descriptorClosed` after `close()`.
    public func watch(_ path: String, recursively: Bool = false) throws(ReactorError) {
        guard !state.isClosed else {
            throw ReactorError(.descriptorClosed, "\(path) cannot be watched: the watcher is closed")
        }
        try state.tree.add(path, isRecursive: recursively)
    }

    /// Stops watching a path, and what is below it if it was watched recursively: Twisted's `ignore`. Never waits.
    /// Changes that were received are still reported. Returns whether it was watched.
    @discardableResult
    public func unwatch(_ path: String) -> Bool { !state.isClosed && state.tree.remove(path) }

    /// Ends it: iterations end, no callback is called any more, changes not yet taken are dropped. Never waits. Closing
    /// twice does nothing.
    public func close() { state.close() }

    /// Parks the calling task until something changes; nil once the watcher is closed.
    ///
    /// - Throws: `CancellationError` when the task is cancelled: no change is lost. `ReactorError` as `watch` throws it,
    ///   for a directory that has appeared and could not be watched: the watcher goes on.
    public func next() async throws -> FileChange? { try await state.next() }

    /// An iterator; all iterators of one watcher share its changes.
    public nonisolated func makeAsyncIterator() -> Iterator { Iterator(watcher: self) }

    /// Iterates the changes of a watcher.
    public struct Iterator: AsyncIteratorProtocol {
        let watcher: FileWatcher

        /// As `FileWatcher.next`.
        @ReactorActor public mutating func next() async throws -> FileChange? { try await watcher.next() }
    }
}
