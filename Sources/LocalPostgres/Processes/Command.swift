import CPosixSpawn
import Glibc

/// A program to run: no shell, a session of its own, a small environment, no descriptor but those named.
struct Command {
    var path: String
    var arguments: [String]
    var directory = "/"

    /// The command as a person would type it.
    var line: String { ([path] + arguments).joined(separator: " ") }

    /// The variables that reach PostgreSQL's programs. `PG…` variables would redirect them, and messages are
    /// to be in one language. `LOCAL_POSTGRES_TMPDIR` lets who set it tell whose processes these are.
    static var environment: [String] {
        let kept = ["PATH", "LD_LIBRARY_PATH", "TZ", "LOCAL_POSTGRES_TMPDIR"].compactMap {
            (name: String) -> String? in
            getenv(name).map { "\(name)=\(String(cString: $0))" }
        }
        return kept + ["LC_ALL=C"]
    }

    /// Starts the program; descriptor `i` of it is `descriptors[i]`, nil being /dev/null. Never waits.
    func start(_ descriptors: [Descriptor?]) throws(LocalPostgresError) -> pid_t {
        var pid: pid_t = 0
        var vector = ([path] + arguments).map { strdup($0) }
        vector.append(nil)
        var environment = Command.environment.map { strdup($0) }
        environment.append(nil)
        let numbers = descriptors.map { $0?.number ?? -1 }
        let result = withExtendedLifetime(descriptors) {
            cposixspawn_start(&pid, path, vector, environment, directory, numbers, Int32(numbers.count))
        }
        for string in vector + environment { free(string) }
        guard result == 0 else { throw ErrorNumber(value: -result).error("cannot run", line) }
        return pid
    }

    /// Runs the program to its end and returns its exit status with what it wrote to both outputs. Blocks the
    /// calling thread.
    func run(handing extra: [Descriptor?] = []) throws(LocalPostgresError) -> (status: Int32, output: String)
    {
        let output = try Descriptor.memoryFile("output")
        let pid = try start([nil, output, output] + extra)
        let status = Command.wait(for: pid)
        return (status, output.tail(16_384))
    }

    /// `run`, and any status but 0 is an error.
    @discardableResult
    func runToSuccess(
        handing extra: [Descriptor?] = [], orThrow message: String
    ) throws(LocalPostgresError) -> String {
        let (status, output) = try run(handing: extra)
        guard status == 0 else {
            throw LocalPostgresError(
                .commandFailed, message, command: line, exitStatus: status, output: output.lastLines(20))
        }
        return output
    }

    /// Reaps the child `pid`, waiting for its end; its exit status as a shell reports it.
    @discardableResult
    static func wait(for pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            // ECHILD: SIGCHLD is ignored in this process, so the kernel reaped the child and its status is
            // lost.
            guard errno == EINTR else { return -1 }
        }
        return exitStatus(status)
    }

    /// Reaps the child `pid` if it has ended; nil while it runs.
    static func poll(_ pid: pid_t) -> Int32? {
        var status: Int32 = 0
        switch waitpid(pid, &status, WNOHANG) {
        case 0: return nil
        case pid: return exitStatus(status)
        default: return errno == EINTR ? nil : -1
        }
    }

    private static func exitStatus(_ status: Int32) -> Int32 {
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

extension String {
    /// At most `count` last lines, without the final newline.
    func lastLines(_ count: Int) -> String {
        split(separator: "\n").suffix(count).joined(separator: "\n")
    }
}

/// Whether the process lives; a zombie does not.
func isRunning(_ processID: pid_t) -> Bool {
    // "123 (name) S 1 …"; the name may contain anything, the last parenthesis ends it.
    guard let line = FileSystem.lines("/proc/\(processID)/stat").first,
        let state = line.split(separator: ")").last?.split(separator: " ").first
    else { return false }
    return state != "Z" && state != "X"
}
