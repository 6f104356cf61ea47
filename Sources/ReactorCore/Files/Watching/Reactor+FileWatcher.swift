extension Reactor {
    /// Watches a file or a directory; changes are iterated. Reactor only; never waits.
    ///
    /// - Parameters:
    ///   - path: what to watch; more can be added with `FileWatcher.watch`.
    ///   - kinds: what to report. `overflow`, `unmounted` and `ended` always are.
    ///   - recursively: whether the directories below it are watched, too, now and when they appear.
    /// - Throws: `ReactorError` with code `systemCall` and errno: the message names the path (ENOENT, EACCES) or the
    ///   limit to raise (ENOSPC: fs.inotify.max_user_watches, EMFILE: fs.inotify.max_user_instances).
    @ReactorActor public func watchFiles(
        _ path: String, for kinds: Set<FileChange.Kind> = FileChange.Kind.all, recursively: Bool = false,
        file: StaticString = #fileID, line: UInt = #line
    ) throws -> FileWatcher {
        let watcher = try FileWatcher(kinds, on: self, nil, site: CallSite(file, line))
        try watcher.watch(path, recursively: recursively)
        return watcher
    }

    /// As the form without `onChange`; it is called for each change, in order, until the watcher is closed or released.
    ///
    /// What it throws goes to `onUncaughtError`, and it is called for the next change all the same.
    @ReactorActor public func watchFiles(
        _ path: String, for kinds: Set<FileChange.Kind> = FileChange.Kind.all, recursively: Bool = false,
        file: StaticString = #fileID, line: UInt = #line,
        onChange: @escaping @ReactorActor (FileChange) throws -> Void
    ) throws -> FileWatcher {
        let watcher = try FileWatcher(kinds, on: self, onChange, site: CallSite(file, line))
        try watcher.watch(path, recursively: recursively)
        return watcher
    }
}
