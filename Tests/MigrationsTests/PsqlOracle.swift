import Glibc
import LocalPostgres

/// psql's own opinion on where statements end: with `-L` it logs each one that it sends.
struct PsqlOracle {
    /// What psql sends for each of `texts`, each read from a file of its own.
    static func statements(of texts: [String]) throws -> [[String]] {
        let directory = try TemporaryDirectory()
        let log = "\(directory.path)/log"
        var arguments = ["psql", "-X", "-q", "-L", log, "-d", try LocalCluster.shared().url]
        for (index, text) in texts.enumerated() {
            try directory.write("\(index).sql", text)
            arguments += ["-c", separator, "-f", "\(directory.path)/\(index).sql"]
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, "psql", &actions, nil, &vector, environ)
        guard code == 0 else { throw TemporaryDirectory.Failure(operation: "psql", code: code) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        var result: [[String]] = []
        for entry in try directory.read("log").split(separator: "********* QUERY **********\n") {
            guard let end = entry.firstRange(of: "\n**************************\n") else { continue }
            let statement = String(entry[..<end.lowerBound])
            if statement == separator {
                result.append([])
            } else if !result.isEmpty {
                result[result.count - 1].append(statement)
            }
        }
        return result
    }

    private static let separator = "select 'next text'"
}
