import ReactorCore

/// Part of a task's work that can be cancelled, or spared from being cancelled, by itself: it runs in a task of its own,
/// for which its caller waits.
@ReactorActor
struct TaskScope<Value: Sendable> {
    private final class Place {
        var task: Task<Result<Value, any Error>, Never>?
    }

    private let place = Place()

    /// Runs `body`; parks the calling task until it has ended. Once only.
    ///
    /// - Parameter isShielded: whether a cancellation of the calling task passes it by.
    func run(isShielded: Bool = false, _ body: @ReactorActor () async throws -> Value) async throws -> Value {
        try await withoutActuallyEscaping(body) { body in
            // It is run once, while its caller waits for it, so it may leave the caller's isolation domain for that time.
            let task = Self.start(on: .current, UncheckedBox(body))
            place.task = task
            defer { place.task = nil }
            if isShielded { return try await task.value.get() }
            return try await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }.get()
        }
    }

    /// Cancels the body.
    func cancel() { place.task?.cancel() }

    private nonisolated static func start(
        on reactor: Reactor, _ body: UncheckedBox<@ReactorActor () async throws -> Value>
    ) -> Task<Result<Value, any Error>, Never> {
        let run: @Sendable @ReactorActor () async -> Result<Value, any Error> = {
            do { return .success(try await body.value()) } catch { return .failure(error) }
        }
        return Task(executorPreference: reactor, operation: run)
    }
}
