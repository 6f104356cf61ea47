import Glibc

/// A thread for what blocks and nobody waits for in person.
enum DetachedThread {
    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a thread of its own; here and now when the system has none to give.
    static func run(_ body: @escaping @Sendable () -> Void) {
        // Released by the thread, or below where there is none.
        let job = Unmanaged.passRetained(Job(body))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, job.toOpaque())
        guard failure == 0 else { return job.takeRetainedValue().body() }
        pthread_detach(thread)
    }
}
