import CLinux
import Glibc
import ReactorCore

/// Runs `body` on a reactor whose thread has a stack of `stackSize` bytes, as tests' own threads have not, and where no
/// task-local value is bound, as in a test's own tasks some are.
func onThread<Value: Sendable>(
    stackSize: Int = 64 * 1024, _ body: @escaping @Sendable @ReactorActor (Reactor) async throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        startThread(stackSize) {
            let reactor = Reactor()
            continuation.resume(with: Result { try reactor.run(until: { try await body(reactor) }) })
        }
    }
}

/// Runs `body` on another thread, to its end.
func elsewhere(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
        startThread(256 * 1024) {
            body()
            continuation.resume()
        }
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func startThread(_ stackSize: Int, _ body: @escaping @Sendable () -> Void) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    let code = pthread_attr_setstacksize(&attributes, stackSize)
    precondition(code == 0, "a stack of \(stackSize) bytes is refused: \(code)")
    var thread = pthread_t()
    let result = pthread_create(
        &thread, &attributes,
        { argument in
            Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().run()  // retained just below
            return nil
        }, Unmanaged.passRetained(ThreadBody(body)).toOpaque())
    precondition(result == 0, "pthread_create failed: \(result)")
    pthread_attr_destroy(&attributes)
}
