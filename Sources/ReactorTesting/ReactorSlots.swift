import Glibc

/// Bounds how many test reactors run at once.
///
/// Swift Testing starts every test at the same time. Hundreds of reactors on a few cores make each wait for the processor, and
/// tests about time measure that instead; and a process has only so many descriptors.
actor ReactorSlots {
    static let shared = ReactorSlots()

    /// True inside `withReactor`: a reactor within a reactor's test needs no slot, or the two could wait for each other.
    @TaskLocal static var isHeld = false

    private var free = max(8, 2 * Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// Runs `body` when there is a slot, first come first served.
    static func withSlot<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        guard !isHeld else { return try await body() }
        await shared.take()
        do {
            let value = try await $isHeld.withValue(true) { try await body() }
            await shared.give()
            return value
        } catch {
            await shared.give()
            throw error
        }
    }

    private func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiters.append($0) }
        }
    }

    private func give() {
        if waiters.isEmpty { free += 1 } else { waiters.removeFirst().resume() }
    }
}
