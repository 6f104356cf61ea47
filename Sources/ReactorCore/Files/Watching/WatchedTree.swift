import CLinux
import Glibc

/// What an inotify instance watches, and what its events mean: watches know files, programs know paths.
///
/// A watch follows its file through renames, so the paths below a directory that is moved are changed here. The two
/// halves of a move come one after the other, but a read may fall between them: the first is kept back until the
/// second, another event, or `flush()`.
struct WatchedTree {
    private struct Watch {
        var path: String
        /// Given by the user; else found below one.
        var isRoot: Bool
        let isRecursive: Bool
    }

    let fd: Int32
    private let kinds: Set<FileChange.Kind>
    private let mask: UInt32
    private var watches: [Int32: Watch] = [:]
    /// The first half of a move.
    private var departed: (cookie: UInt32, path: String, isDirectory: Bool)?
    /// What a look into a new directory has reported, and the kernel may report again.
    private var foundPaths: Set<String> = []
    /// What happened, in order, not yet taken.
    private var changes: [FileChange] = []
    private var errors: [ReactorError] = []

    init(fd: Int32, kinds: Set<FileChange.Kind>) {
        self.fd = fd
        self.kinds = kinds
        mask = kinds.reduce(0) { $0 | $1.mask }
    }

    /// The paths given by the user, in ascending order.
    var roots: [String] { watches.values.filter(\.isRoot).map(\.path).sorted() }

    /// Whether the first half of a move waits for the second.
    var awaitsArrival: Bool { departed != nil }

    // MARK: Watches

    /// Watches a path, and with `isRecursive` the directories below it. When it throws, nothing is watched that was
    /// not before.
    mutating func add(_ path: String, isRecursive: Bool) throws(ReactorError) {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        let before = watches
        do {
            let watch = try addWatch(path, isRecursive, flags: 0)
            watches[watch] = Watch(path: path, isRoot: true, isRecursive: isRecursive)
            if isRecursive { try addDirectories(below: path, reports: false) }
        } catch {
            for watch in watches.keys where before[watch] == nil { inotify_rm_watch(fd, watch) }
            watches = before
            throw error
        }
    }

    /// Stops watching a path and what was found below it. Whether it was watched.
    mutating func remove(_ path: String) -> Bool {
        guard let watch = watches.first(where: { $0.value.isRoot && $0.value.path == path })?.key else {
            return false
        }
        let isBelowAnother = watches.values.contains {
            $0.isRoot && $0.isRecursive && $0.path != path && isAt(path, $0.path)
        }
        watches[watch]?.isRoot = false
        if !isBelowAnother { removeWatches(at: path) }
        return true
    }

    private mutating func removeWatches(at path: String) {
        for (watch, entry) in watches where isAt(entry.path, path) {
            if entry.isRoot { continue }  // watched for its own sake
            watches[watch] = nil
            inotify_rm_watch(fd, watch)
        }
    }

    private func addWatch(_ path: String, _ isRecursive: Bool, flags: UInt32) throws(ReactorError) -> Int32 {
        let needed = isRecursive ? UInt32(IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO) : 0
        // A watch of nothing is an error, and its end is always reported.
        let watch = inotify_add_watch(fd, path, mask | needed | UInt32(IN_DELETE_SELF) | flags)
        guard watch < 0 else { return watch }
        throw Self.failure(path, errno)
    }

    static func failure(_ path: String, _ code: Int32) -> ReactorError {
        let advice =
            code == ENOSPC
            ? "; the user's watches are used up: raise fs.inotify.max_user_watches, or watch fewer directories"
            : ""
        return ReactorError(
            .systemCall, "\(path) cannot be watched: \(errnoText(code))\(advice)", errno: code)
    }

    /// Watches the directories below one, those first that are nearest.
    ///
    /// - Parameter reports: whether what is found counts as created: the directory is new, and was not watched when its
    ///   first entries were made. In this order, watch and then look, nothing is missed, and what is seen twice is
    ///   dropped by `foundPaths`.
    private mutating func addDirectories(below top: String, reports: Bool) throws(ReactorError) {
        var pending = [top]
        while !pending.isEmpty {
            let directory = pending.removeFirst()
            for (name, isDirectory) in Self.entries(of: directory) {
                let path = Self.join(directory, name)
                if reports {
                    foundPaths.insert(path)
                    report(FileChange(.created, path, isDirectory: isDirectory))
                }
                guard isDirectory else { continue }
                if try addDirectory(path) { pending.append(path) }
            }
        }
    }

    /// Watches a directory; false when it is gone, or was no directory after all.
    private mutating func addDirectory(_ path: String) throws(ReactorError) -> Bool {
        do {
            let flags = UInt32(IN_ONLYDIR) | UInt32(IN_DONT_FOLLOW)
            let watch = try addWatch(path, true, flags: flags)
            if watches[watch] == nil { watches[watch] = Watch(path: path, isRoot: false, isRecursive: true) }
            return true
        } catch {
            guard error.errno == ENOENT || error.errno == ENOTDIR else { throw error }
            return false
        }
    }

    private static func entries(of directory: String) -> [(name: String, isDirectory: Bool)] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var entries: [(String, Bool)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                // Ended by a zero, within the record that readdir has returned.
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            guard name != ".", name != ".." else { continue }
            var isDirectory = entry.pointee.d_type == UInt8(DT_DIR)
            if entry.pointee.d_type == UInt8(DT_UNKNOWN) {  // file systems that do not say
                var status = stat()
                isDirectory = lstat(join(directory, name), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            }
            entries.append((name, isDirectory))
        }
        return entries.sorted { $0.0 < $1.0 }
    }

    private static func join(_ directory: String, _ name: String) -> String {
        directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
    }

    private func isAt(_ path: String, _ top: String) -> Bool {
        path == top || path.hasPrefix(top.hasSuffix("/") ? top : top + "/")
    }

    // MARK: Events

    /// Takes an event in.
    mutating func receive(_ event: InotifyEvent) {
        if let departed, !(event.has(IN_MOVED_TO) && event.cookie == departed.cookie) { flush() }
        if event.has(IN_Q_OVERFLOW) { return overflow() }
        guard let watch = watches[event.watch] else { return }  // removed since
        guard let name = event.name else { return receive(event, ofItself: watch) }
        let path = Self.join(watch.path, name)
        if event.has(IN_CREATE) {
            guard foundPaths.remove(path) == nil else { return }
            report(FileChange(.created, path, isDirectory: event.isDirectory))
            if event.isDirectory, watch.isRecursive { follow(path, reports: true) }
        } else if event.has(IN_MOVED_FROM) {
            departed = (event.cookie, path, event.isDirectory)
        } else if event.has(IN_MOVED_TO) {
            arrive(path, event, watch)
        } else if event.has(IN_DELETE) {
            foundPaths.remove(path)
            report(FileChange(.deleted, path, isDirectory: event.isDirectory))
        } else if let kind = event.plainKind {
            report(FileChange(kind, path, isDirectory: event.isDirectory))
        }
    }

    /// What is watched itself has changed. Of a directory found below another, that one's watch tells as well.
    private mutating func receive(_ event: InotifyEvent, ofItself watch: Watch) {
        if event.has(IN_IGNORED) { watches[event.watch] = nil }
        guard watch.isRoot else { return }
        let kind: FileChange.Kind? =
            if event.has(IN_IGNORED) {
                .ended
            } else if event.has(IN_UNMOUNT) {
                .unmounted
            } else if event.has(IN_DELETE_SELF) {
                .deleted
            } else if event.has(IN_MOVE_SELF) {
                .movedOut
            } else {
                event.plainKind
            }
        if let kind { report(FileChange(kind, watch.path, isDirectory: event.isDirectory)) }
    }

    private mutating func arrive(_ path: String, _ event: InotifyEvent, _ watch: Watch) {
        guard let departed else {
            guard foundPaths.remove(path) == nil else { return }
            report(FileChange(.movedIn, path, isDirectory: event.isDirectory))
            if event.isDirectory, watch.isRecursive { follow(path, reports: false) }
            return
        }
        self.departed = nil
        report(FileChange(.moved, path, from: departed.path, isDirectory: event.isDirectory))
        guard event.isDirectory else { return }
        for (number, entry) in watches where !entry.isRoot && isAt(entry.path, departed.path) {
            watches[number]?.path = path + entry.path.dropFirst(departed.path.count)
        }
        // Once more, for one that was made and moved before it could be watched.
        if watch.isRecursive { follow(path, reports: false) }
    }

    /// Gives up waiting for the second half of a move: the entry went where nothing is watched.
    mutating func flush() {
        guard let departed else { return }
        self.departed = nil
        report(FileChange(.movedOut, departed.path, isDirectory: departed.isDirectory))
        if departed.isDirectory { removeWatches(at: departed.path) }
    }

    /// Every event that was in the kernel's queue has been received.
    mutating func queueIsEmpty() { foundPaths.removeAll() }

    private mutating func overflow() {
        report(FileChange(.overflow, ""))
        // Directories may have been made unnoticed.
        for watch in watches.values where watch.isRoot && watch.isRecursive {
            follow(watch.path, reports: false)
        }
    }

    /// Watches a directory that has appeared, and those in it.
    private mutating func follow(_ path: String, reports: Bool) {
        do throws(ReactorError) {
            if try addDirectory(path) { try addDirectories(below: path, reports: reports) }
        } catch { errors.append(error) }
    }

    private mutating func report(_ change: FileChange) {
        if kinds.contains(change.kind) || !FileChange.Kind.all.contains(change.kind) {
            changes.append(change)
        }
    }

    /// What has happened since the last call, and directories that could not be watched.
    mutating func take() -> (changes: [FileChange], errors: [ReactorError]) {
        defer {
            changes.removeAll(keepingCapacity: true)
            errors = []
        }
        return (changes, errors)
    }
}

extension InotifyEvent {
    /// The kind of an event that says the same of a watched file and of an entry.
    fileprivate var plainKind: FileChange.Kind? {
        if has(IN_MODIFY) { return .modified }
        if has(IN_CLOSE_WRITE) { return .closedAfterWriting }
        if has(IN_ATTRIB) { return .attributes }
        return nil
    }
}
