import Glibc
import Greenlets
import ReactorCore

/// SIGINT or SIGTERM ended the run.
struct Interrupted: Error {
    let signal: Int32
}

/// Runs `body` on the shared reactor; SIGINT and SIGTERM cancel it, so that the server stops and rolls back before this
/// throws. A second signal ends the process at once.
///
/// - Throws: what `body` throws; `Interrupted`.
func runInterruptibly<Value: Sendable>(
    _ body: @escaping @Sendable @ReactorActor () async throws -> Value
) throws -> Value {
    try Reactor.shared.run(until: {
        let signals = try reactor.signals(SIGINT, SIGTERM)
        let work = Greenlet<Value>.spawn(name: "work", body)
        let watch = Greenlet<Void>.spawn(name: "signals") {
            var isFirst = true
            for try await signal in signals {
                guard isFirst else { _exit(128 + signal) }
                isFirst = false
                work.cancel(throwing: Interrupted(signal: signal))
            }
        }
        defer { watch.cancel() }
        return try await work.get()
    })
}
