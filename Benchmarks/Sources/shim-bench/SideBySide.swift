import Glibc

/// A function behind its shim, beside libc's own.
///
/// A system call takes sixty times what its shim may add, and never twice the same: so the two take turns in blocks of a
/// hundredth of a millisecond, and of all their differences the median counts.
struct SideBySide<Function> {
    private let shim: Function
    private let libc: Function
    private let call: (Function, Int) -> Void

    /// - Parameter call: calls the function as many times as it says.
    init(shim: Function, libc: Function, call: @escaping (Function, Int) -> Void) {
        self.shim = shim
        self.libc = libc
        self.call = call
    }

    /// What the shim adds to a call.
    var nanosecondsOfTheShim: Double { median { nanoseconds(shim) - nanoseconds(libc) } }

    /// What a call takes without it.
    var nanosecondsOfLibc: Double { median { nanoseconds(libc) } }

    private func nanoseconds(_ function: Function) -> Double {
        let count = 100
        let start = threadTime()
        call(function, count)
        return Double(threadTime() - start) / Double(count)
    }

    private func median(_ value: () -> Double) -> Double {
        let values = (0..<10_001).map { _ in value() }
        return values.sorted()[values.count / 2]
    }

    /// Nanoseconds that the thread has spent on processors.
    private func threadTime() -> Int64 {
        var value = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &value)
        return Int64(value.tv_sec) * 1_000_000_000 + Int64(value.tv_nsec)
    }
}
