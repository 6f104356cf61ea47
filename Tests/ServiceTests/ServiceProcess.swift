import Glibc
import ReactorCore

/// The executable `service`, run as a user would run it.
///
/// Standard output and standard error come as one stream of lines. Reading blocks, so it is done on the reactor's worker threads.
@ReactorActor
final class ServiceProcess {
    let pid: Int32
    private let stream: OutputStream

    /// Unchecked: one worker at a time uses it, because each call here awaits the one before.
    private struct OutputStream: @unchecked Sendable { let file: UnsafeMutablePointer<FILE> }

    /// Starts it in `directory`, with `environment` and nothing else of ours that it would read.
    static func start(
        _ arguments: [String], environment: [String: String] = [:], in directory: String = "/"
    ) async throws -> ServiceProcess {
        let unset = [
            "DATABASE_URL", "ENDPOINT", "ASYNC_ENDPOINT", "POOL_SIZE", "LOG_LEVEL", "SIMULATE_LATENCY",
        ]
        .map { "-u \($0)" }
        let set = environment.map { "\($0)=\(quoted($1))" }
        let words = ["env"] + unset + set + [quoted(executable)] + arguments.map(quoted)
        let script = "cd \(quoted(directory)) && echo $$ && exec \(words.joined(separator: " ")) 2>&1"
        let stream = try await reactor.threadPool.run { () throws -> OutputStream in
            guard let file = popen(script, "r") else {
                throw ReactorError(.systemCall, "popen failed", errno: errno)
            }
            return OutputStream(file: file)
        }
        guard let line = try await readLine(stream), let pid = Int32(line) else {
            throw ReactorError(.systemCall, "the shell did not start")
        }
        return ServiceProcess(pid: pid, stream: stream)
    }

    private init(pid: Int32, stream: OutputStream) {
        self.pid = pid
        self.stream = stream
    }

    /// Beside this test's own executable, where SwiftPM puts them all.
    private static var executable: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/service"
    }

    private nonisolated static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private static func readLine(_ stream: OutputStream) async throws -> String? {
        try await reactor.threadPool.run {
            var line: UnsafeMutablePointer<CChar>?
            var capacity = 0
            defer { free(line) }
            let count = getline(&line, &capacity, stream.file)
            guard count > 0, let line else { return nil }
            let text = String(cString: line)
            return text.hasSuffix("\n") ? String(text.dropLast()) : text
        }
    }

    /// The next line it prints; nil when it has closed its output.
    func nextLine() async throws -> String? { try await Self.readLine(stream) }

    /// Lines up to and with the first that contains `text`.
    func lines(until text: String) async throws -> [String] {
        var lines: [String] = []
        while let line = try await nextLine() {
            lines.append(line)
            if line.contains(text) { break }
        }
        return lines
    }

    func signal(_ number: Int32) { kill(pid, number) }

    /// How many threads it has.
    var threadCount: Int {
        guard let directory = opendir("/proc/\(pid)/task") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return count
    }

    /// What it still prints, and its exit status: 0 to 255, or minus the signal that ended it. Parks until it has ended.
    func end() async throws -> (output: [String], status: Int32) {
        var output: [String] = []
        while let line = try await nextLine() { output.append(line) }
        let stream = stream
        let status = try await reactor.threadPool.run { pclose(stream.file) }
        return (output, status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f))
    }
}
