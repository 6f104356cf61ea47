import Glibc
import ReactorCore
import ReactorTesting
import Testing

/// Both engines; a test says so when the kernel refuses one.
let fileEngines: [Reactor.FileEngine] = [.threads, .ioUring]

/// Runs `body` on a reactor with the engine, in a directory of its own, which is removed.
func withFiles(
    _ engine: Reactor.FileEngine,
    _ body: @escaping @Sendable @ReactorActor (Reactor, String) async throws -> Void
) async throws {
    try await withDirectory { directory in
        try await withReactor { reactor in
            do throws(ReactorError) { try reactor.useFileEngine(engine) } catch {
                Issue.record("not run with \(engine): \(error.message)", severity: .warning)
                return
            }
            try await body(reactor, directory)
        }
    }
}

func withDirectory(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/green-reactor-XXXXXX".utf8CString)
    let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { removeAll(directory) }
    try await body(directory)
}

private func removeAll(_ path: String) {
    if let stream = opendir(path) {
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            let child = "\(path)/\(name)"
            if unlink(child) != 0 { removeAll(child) }
        }
        closedir(stream)
    }
    rmdir(path)
}
