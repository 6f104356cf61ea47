import Glibc

/// A shell that waits for a line on its standard input, then does what its script says.
final class ChildProcess {
    let pid: pid_t
    private let input = Pair.pipes()

    /// - Parameter script: run after the line.
    /// - Parameter group: the process group to join; 0 for one of its own, nil for the parent's.
    init(_ script: String, group: pid_t? = nil) {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        if let group {
            posix_spawnattr_setpgroup(&attributes, group)
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.first, STDIN_FILENO)
        var pid = pid_t()
        let texts: [String] = ["sh", "-c", "read line; " + script]
        let words = texts.map { strdup($0) }
        defer { for word in words { free(word) } }
        let code = posix_spawn(&pid, "/bin/sh", &actions, &attributes, words + [nil], environ)
        precondition(code == 0, "posix_spawn of a shell failed: \(code)")
        self.pid = pid
    }

    /// Ends it, unless it has been fetched: then its number may be another's.
    deinit {
        guard isUnfetchedChild(pid) else { return }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Gives it the line.
    func release() { _ = write(input.second, "\n", 1) }
}

/// Whether this process has a child of that number that nobody has fetched.
func isUnfetchedChild(_ pid: pid_t) -> Bool {
    var info = siginfo_t()
    return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0
}
