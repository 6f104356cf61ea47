import Glibc
import Testing

/// Runs each test of a suite on threads of its own. Everything here blocks for up to seconds, and the threads
/// that tests share are as few as the processors: blocked here, they would be missing where others measure
/// time.
struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(ThreadExecutor()) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    static var ownThread: Self { OwnThread() }
}

/// A thread for each job: tests have few, and they are long.
private final class ThreadExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        runOnThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Starts a thread that nobody waits for.
func runOnThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { argument in
            // Retained below for this thread alone.
            argument.map { Unmanaged<Box>.fromOpaque($0).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}
