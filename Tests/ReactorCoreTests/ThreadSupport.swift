import CLinux
import Glibc
import Synchronization

/// Something that has happened, seen from any thread.
final class SharedFlag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

/// Counts, from any thread.
final class SharedCounter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .acquiring) }
    func add() { count.add(1, ordering: .acquiringAndReleasing) }
}

/// Holds worker threads until it is opened.
final class ThreadGate: Sendable {
    private let isOpen = SharedFlag()
    func open() { isOpen.set() }
    func wait() { while !isOpen.isSet { usleep(500) } }  // a worker's thread: blocking is the point
}

/// Watches a flag without holding it.
final class WeakSharedFlag: @unchecked Sendable {  // written before the flag is shared
    private(set) weak var flag: SharedFlag?

    func make() -> SharedFlag {
        let made = SharedFlag()
        flag = made
        return made
    }
}

/// Runs `body` on a thread of its own and waits for it without holding the caller's.
func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                pthread_detach(pthread_self())
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()  // retained just below
                return nil
            },
            Unmanaged.passRetained(Body { continuation.resume(with: Result { try body() }) }).toOpaque())
        precondition(code == 0, "pthread_create failed: \(code)")
    }
}

private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Keeps the thread busy for so much of its own time.
func work(for nanoseconds: Int64) {
    let end = clinux_thread_cpu_ns() + nanoseconds
    while clinux_thread_cpu_ns() < end {}
}
