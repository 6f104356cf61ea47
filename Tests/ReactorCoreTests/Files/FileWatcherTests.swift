import CLinux
import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct FileWatcherTests {
    @Test func lifeOfAnEntryIsReportedInOrder() async throws {
        try await withWatched { reactor, directory in
            let watcher = try reactor.watchFiles(directory)
            touch("\(directory)/a", "text")
            // First of all: a child that another test is just starting has the file open, too, for a moment.
            let written = try await next(3, of: watcher, in: directory)
            #expect(written == ["created a", "modified a", "closedAfterWriting a"])
            chmod("\(directory)/a", 0o600)
            unlink("\(directory)/a")
            mkdir("\(directory)/d", 0o700)
            let found = try await next(3, of: watcher, in: directory)
            #expect(found == ["attributes a", "deleted a", "created d/"])
        }
    }

    @Test func watchedFileTellsOfItselfUntilItIsGone() async throws {
        try await withWatched { reactor, directory in
            touch("\(directory)/a", "")
            let watcher = try reactor.watchFiles("\(directory)/a")
            touch("\(directory)/a", "text")
            let written = try await next(2, of: watcher, in: directory)
            #expect(written == ["modified a", "closedAfterWriting a"])
            unlink("\(directory)/a")
            let found = try await next(3, of: watcher, in: directory)
            #expect(found == ["attributes a", "deleted a", "ended a"])
            #expect(watcher.paths.isEmpty)
        }
    }

    @Test func movesArePairedOrComeInOrGoOut() async throws {
        try await withWatched { reactor, directory in
            mkdir("\(directory)/in", 0o700)
            mkdir("\(directory)/out", 0o700)
            touch("\(directory)/in/a", "")
            touch("\(directory)/out/b", "")
            let watcher = try reactor.watchFiles("\(directory)/in")
            rename("\(directory)/in/a", "\(directory)/in/c")
            rename("\(directory)/out/b", "\(directory)/in/b")
            rename("\(directory)/in/c", "\(directory)/out/c")
            let found = try await next(3, of: watcher, in: directory)
            #expect(found == ["moved in/c from in/a", "movedIn in/b", "movedOut in/c"])
        }
    }

    @Test func onlyChosenKindsAreReported() async throws {
        try await withWatched { reactor, directory in
            let watcher = try reactor.watchFiles(
                directory, for: [.closedAfterWriting, .deleted], recursively: true)
            touch("\(directory)/a", "text")
            mkdir("\(directory)/d", 0o700)
            let first = try await next(1, of: watcher, in: directory)
            touch("\(directory)/d/b", "")
            unlink("\(directory)/a")
            let then = try await next(2, of: watcher, in: directory)
            #expect(first == ["closedAfterWriting a"])
            #expect(Set(then) == ["closedAfterWriting d/b", "deleted a"])
        }
    }

    // MARK: Recursion

    @Test func directoriesThatAreThereAreWatched() async throws {
        try await withWatched { reactor, directory in
            for name in ["d", "d/e", "d/e/f"] { mkdir("\(directory)/\(name)", 0o700) }
            symlink("..", "\(directory)/d/loop")
            let watcher = try reactor.watchFiles("\(directory)/", for: [.created], recursively: true)
            touch("\(directory)/d/e/f/a", "")
            touch("\(directory)/d/b", "")
            let found = try await next(2, of: watcher, in: directory)
            #expect(found == ["created d/e/f/a", "created d/b"])
            #expect(watcher.paths == [directory])
        }
    }

    /// All of it is made before the watcher hears of the first directory.
    @Test func whatWasMadeBeforeTheWatchIsReportedOnce() async throws {
        try await withWatched { reactor, directory in
            let watcher = try reactor.watchFiles(directory, for: [.created], recursively: true)
            for name in ["d", "d/e", "d/e/f"] {
                mkdir("\(directory)/\(name)", 0o700)
                touch("\(directory)/\(name)/file", "")
            }
            let found = try await next(6, of: watcher, in: directory)
            #expect(
                Set(found) == [
                    "created d/", "created d/file", "created d/e/", "created d/e/file", "created d/e/f/",
                    "created d/e/f/file",
                ])
            touch("\(directory)/d/e/f/later", "")
            let later = try await next(1, of: watcher, in: directory)
            #expect(later == ["created d/e/f/later"])
        }
    }

    /// A worker makes a tree while the watcher runs after it: each entry is reported, and once.
    @Test func treeMadeMeanwhileIsReportedWhole() async throws {
        try await withWatched { reactor, directory in
            let watcher = try reactor.watchFiles(directory, for: [.created], recursively: true)
            let work = reactor.startTask {
                try? await reactor.threadPool.run {
                    for outer in 0..<30 {
                        mkdir("\(directory)/\(outer)", 0o700)
                        for inner in 0..<5 {
                            mkdir("\(directory)/\(outer)/\(inner)", 0o700)
                            touch("\(directory)/\(outer)/\(inner)/x", "")
                        }
                    }
                }
            }
            let found = try await next(30 + 30 * 5 * 2, of: watcher, in: directory)
            await work.value
            #expect(Set(found).count == 330)
            touch("\(directory)/end", "")
            let last = try await next(1, of: watcher, in: directory)
            #expect(last == ["created end"], "nothing was reported twice")
        }
    }

    @Test func movedDirectoryIsFollowedToItsNewPath() async throws {
        try await withWatched { reactor, directory in
            for name in ["d", "d/e", "t", "out"] { mkdir("\(directory)/\(name)", 0o700) }
            mkdir("\(directory)/t/sub", 0o700)
            let watcher = try reactor.watchFiles("\(directory)/t", recursively: true)
            rename("\(directory)/t/sub", "\(directory)/t/new")
            touch("\(directory)/t/new/a", "")
            var found = try await next(3, of: watcher, in: directory)
            #expect(found == ["moved t/new/ from t/sub", "created t/new/a", "closedAfterWriting t/new/a"])
            rename("\(directory)/d", "\(directory)/t/d")
            found = try await next(1, of: watcher, in: directory)
            #expect(found == ["movedIn t/d/"])
            touch("\(directory)/t/d/e/b", "")
            found = try await next(2, of: watcher, in: directory)
            #expect(found == ["created t/d/e/b", "closedAfterWriting t/d/e/b"])
            rename("\(directory)/t/d", "\(directory)/out/d")
            found = try await next(1, of: watcher, in: directory)
            touch("\(directory)/out/d/e/unseen", "")
            touch("\(directory)/t/seen", "")
            found += try await next(1, of: watcher, in: directory)
            #expect(found == ["movedOut t/d/", "created t/seen"])
        }
    }

    @Test func removedTreeIsReportedAndItsWatchesEnd() async throws {
        try await withWatched { reactor, directory in
            for name in ["d", "d/e"] { mkdir("\(directory)/\(name)", 0o700) }
            let watcher = try reactor.watchFiles("\(directory)/d", for: [.deleted], recursively: true)
            rmdir("\(directory)/d/e")
            rmdir("\(directory)/d")
            let found = try await next(3, of: watcher, in: directory)
            #expect(found == ["deleted d/e/", "deleted d", "ended d"])
        }
    }

    // MARK: Ends and errors

    @Test func lostChangesAreReportedAsAnOverflow() async throws {
        try await withWatched { reactor, directory in
            let file = fopen("/proc/sys/fs/inotify/max_queued_events", "r")
            var limit: Int32 = 0
            withUnsafeMutablePointer(to: &limit) { pointer in
                withVaList([pointer]) { _ = vfscanf(file, "%d", $0) }
            }
            fclose(file)
            try #require(limit > 0 && limit < 1 << 20)
            let watcher = try reactor.watchFiles(directory, for: [.attributes], recursively: true)
            for name in ["a", "b"] { touch("\(directory)/\(name)", "") }
            for round in 0...limit { chmod("\(directory)/\(round % 2 == 0 ? "a" : "b")", 0o600) }
            mkdir("\(directory)/unheard", 0o700)
            var last: FileChange?
            repeat { last = try await watcher.next() } while last?.kind == .attributes
            #expect(last?.kind == .overflow && last?.path == "")
            chmod("\(directory)/unheard", 0o750)
            touch("\(directory)/unheard/x", "")
            chmod("\(directory)/unheard/x", 0o640)
            let found = try await next(2, of: watcher, in: directory)
            #expect(
                found == ["attributes unheard/", "attributes unheard/x"], "directories were looked for again")
        }
    }

    @Test func cancelledIterationLosesNothing() async throws {
        try await withWatched { reactor, directory in
            let watcher = try reactor.watchFiles(directory, for: [.created])
            let task = Task { @ReactorActor in try await watcher.next() }
            await reactor.yield()
            await reactor.yield()
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            touch("\(directory)/a", "")
            let found = try await next(1, of: watcher, in: directory)
            #expect(found == ["created a"])
        }
    }

    @Test func closingEndsTheIteration() async throws {
        try await withWatched { reactor, directory in
            let watcher = try reactor.watchFiles(directory)
            let task = Task { @ReactorActor in
                var count = 0
                for try await _ in watcher { count += 1 }
                return count
            }
            await reactor.yield()
            watcher.close()
            watcher.close()
            let count = try await task.value
            #expect(count == 0)
            #expect(reactor.watchedDescriptors.isEmpty)
            let error = #expect(throws: ReactorError.self) { try watcher.watch(directory) }
            #expect(error?.code == .descriptorClosed)
            #expect(!watcher.unwatch(directory))
        }
    }

    @Test func releasedWatcherLeavesNothing() async throws {
        try await withWatched { reactor, directory in
            do { _ = try reactor.watchFiles(directory) }
            #expect(reactor.watchedDescriptors.isEmpty)
            // Moved, not shared.
            nonisolated(unsafe) var watcher: FileWatcher? = try reactor.watchFiles(directory)
            #expect(watcher?.paths == [directory])
            try await reactor.threadPool.run { watcher = nil }
            while !reactor.watchedDescriptors.isEmpty { try await reactor.sleep(for: .milliseconds(1)) }
        }
    }

    @Test func callbackHearsEachChangeAndItsErrorsAreReported() async throws {
        struct Spam: Error {}
        try await withWatched { reactor, directory in
            var (found, reported) = ([String](), [String]())
            let report = reactor.onUncaughtError
            reactor.onUncaughtError = { reported.append("\($1): \($0)") }
            defer { reactor.onUncaughtError = report }
            let watcher = try reactor.watchFiles(directory, for: [.created]) { change in
                found.append(change.path)
                if found.count == 1 { throw Spam() }
            }
            touch("\(directory)/a", "")
            touch("\(directory)/b", "")
            while found.count < 2 { try await reactor.sleep(for: .milliseconds(1)) }
            #expect(found == ["\(directory)/a", "\(directory)/b"])
            #expect(reported == ["the callback of a file watcher, for created \(directory)/a: Spam()"])
            watcher.close()
        }
    }

    @Test func watcherOfSeveralPathsGivesUpOne() async throws {
        try await withWatched { reactor, directory in
            for name in ["a", "b"] { mkdir("\(directory)/\(name)", 0o700) }
            let watcher = try reactor.watchFiles("\(directory)/a", for: [.created])
            try watcher.watch("\(directory)/b")
            #expect(watcher.paths == ["\(directory)/a", "\(directory)/b"])
            #expect(watcher.unwatch("\(directory)/a"))
            #expect(!watcher.unwatch("\(directory)/a"))
            touch("\(directory)/a/x", "")
            touch("\(directory)/b/y", "")
            let found = try await next(1, of: watcher, in: directory)
            #expect(found == ["created b/y"])
        }
    }

    @Test func errorNamesThePathAndWhatToDo() async throws {
        try await withWatched { reactor, directory in
            let error = #expect(throws: ReactorError.self) { _ = try reactor.watchFiles("\(directory)/none") }
            #expect(error?.code == .systemCall && error?.errno == ENOENT)
            #expect(
                error?.message == "\(directory)/none cannot be watched: No such file or directory (errno 2)")
            #expect(reactor.watchedDescriptors.isEmpty)
            let full = WatchedTree.failure("/x", ENOSPC)
            #expect(full.message.contains("fs.inotify.max_user_watches"))
        }
    }
}

/// A move whose halves come in two reads, as they may.
@Suite struct WatchedTreeTests {
    @Test func halvesOfAMoveAreKeptTogetherOrGivenUp() async throws {
        try await withDirectory { directory in
            let fd = inotify_init1(Int32(IN_CLOEXEC))
            defer { close(fd) }
            var tree = WatchedTree(fd: fd, kinds: FileChange.Kind.all)
            try tree.add(directory, isRecursive: false)
            tree.receive(event(IN_MOVED_FROM, "a", cookie: 7))
            #expect(tree.awaitsArrival && tree.take().changes.isEmpty)
            tree.receive(event(IN_MOVED_TO, "b", cookie: 7))
            #expect(!tree.awaitsArrival)
            #expect(tree.take().changes == [FileChange(.moved, "\(directory)/b", from: "\(directory)/a")])
            tree.receive(event(IN_MOVED_FROM, "b", cookie: 8))
            tree.receive(event(IN_MOVED_TO, "c", cookie: 9))
            #expect(
                tree.take().changes == [
                    FileChange(.movedOut, "\(directory)/b"), FileChange(.movedIn, "\(directory)/c"),
                ])
            tree.receive(event(IN_MOVED_FROM, "c", cookie: 10))
            tree.flush()
            #expect(tree.take().changes == [FileChange(.movedOut, "\(directory)/c")])
        }
    }

    /// The first watch of an instance is number 1.
    private func event(_ mask: Int32, _ name: String, cookie: UInt32) -> InotifyEvent {
        InotifyEvent(watch: 1, mask: UInt32(mask), cookie: cookie, name: name)
    }
}

private func withWatched(
    _ body: @escaping @Sendable @ReactorActor (Reactor, String) async throws -> Void
) async throws {
    try await withDirectory { directory in
        try await withReactor { reactor in try await body(reactor, directory) }
    }
}

private func touch(_ path: String, _ text: String) {
    let fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    if !text.isEmpty { write(fd, text, text.utf8.count) }
    close(fd)
}

/// Changes with paths relative to the directory; directories end in a slash.
@ReactorActor
private func next(_ count: Int, of watcher: FileWatcher, in directory: String) async throws -> [String] {
    var found: [String] = []
    for _ in 0..<count {
        guard let change = try await watcher.next() else { break }
        let text = "\(change.kind) \(change.path)\(change.isDirectory ? "/" : "")"
        found.append(
            (text + (change.previousPath.map { " from \($0)" } ?? ""))
                .split(separator: "\(directory)/").joined())
    }
    return found
}
