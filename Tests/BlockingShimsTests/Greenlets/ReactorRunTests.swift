import CLinux
import Glibc
import Testing

/// `reactor-run` and unmodified programs of the system's; it lies where the tests do. A sanitizer's runtime cannot be preloaded into
/// programs that were built without.
@Suite(.enabled(if: BlockingShimsList.contains("pthread_join"))) struct ReactorRunTests {
    private static let directory: String = {
        var path = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count)
        let text = String(decoding: path.prefix(max(0, count)), as: UTF8.self)
        return String(text[..<(text.lastIndex(of: "/") ?? text.startIndex)])
    }()

    /// Starts `reactor-run` with the arguments; returns its process and the reading end of what it prints.
    private func start(_ arguments: [String]) throws -> (process: pid_t, output: Int32) {
        let pipes = Pair.pipes()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for fd in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_adddup2(&actions, pipes.second, fd)
        }
        // Threads of a task executor may have signals blocked, and a child would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let program = Self.directory + "/reactor-run"
        var texts = ([program] + arguments).map { strdup($0) }
        defer { for text in texts { free(text) } }
        texts.append(nil)
        var process: pid_t = 0
        try #require(posix_spawn(&process, program, &actions, &attributes, texts, environ) == 0)
        return (process, dup(pipes.first))
    }

    private func run(_ arguments: String...) throws -> (status: Int32, output: String) {
        let (process, output) = try start(arguments)
        defer { close(output) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(output, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        return (status, String(decoding: bytes, as: UTF8.self))
    }

    @Test func programRunsAsItWouldOtherwise() throws {
        let echo = try run("--shim", "/bin/echo", "one", "two")
        #expect(echo == (0, "one two\n"))
        let shell = try run("/bin/sh", "-c", "echo $LD_PRELOAD; (exit 3); echo $?; echo a | tr a b; exit 7")
        #expect(shell == (7 << 8, "\n3\nb\n"))
    }

    @Test func sleepOfTheProgramsMainWaitsInTheReactor() throws {
        let (process, output) = try start(["/bin/sleep", "60"])
        defer { close(output) }
        var call = ""
        // epoll_wait and its variants, io_uring_enter, on x86-64 and on AArch64: the loop's waits. clock_nanosleep is none.
        let waits = ["232", "281", "441", "426", "22"]
        for _ in 0..<2000 where !waits.contains(call) {
            call = Self.systemCall(of: process)
            usleep(5000)
        }
        #expect(waits.contains(call))
        kill(process, SIGTERM)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        #expect(status & 0x7f == SIGTERM, "signals do what they did")
    }

    @Test func mistakesAreExplained() throws {
        let none = try run()
        #expect(none.status == 64 << 8 && none.output.hasPrefix("usage: reactor-run"))
        let missing = try run("/nonexistent/program")
        #expect(missing.status == 127 << 8)
        #expect(missing.output.contains("/nonexistent/program cannot be run: No such file or directory"))
    }

    /// The number of the system call that the process's first thread waits in.
    private static func systemCall(of process: pid_t) -> String {
        let fd = open("/proc/\(process)/syscall", O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return "" }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(fd, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        return text.split(separator: " ").first.map(String.init) ?? ""
    }
}
