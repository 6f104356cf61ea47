import ReactorCore
import Synchronization

/// Something whose end is counted: what a closure or a value holds, to see whether it is let go.
final class Life: Sendable {
    /// How many are alive.
    final class Count: Sendable {
        private let alive = Atomic<Int>(0)

        var now: Int { alive.load(ordering: .relaxed) }

        fileprivate func add(_ number: Int) { alive.add(number, ordering: .relaxed) }
    }

    private let count: Count

    init(_ count: Count) {
        self.count = count
        count.add(1)
    }

    deinit { count.add(-1) }

    /// Does nothing: a closure that calls it holds this.
    func keep() {}
}

/// A place for a Deferred, to drop it from.
final class LastReference<Value>: @unchecked Sendable {  // one thread at a time has it
    var deferred: Deferred<Value>?
    init(_ deferred: Deferred<Value>? = nil) { self.deferred = deferred }
}

extension Deferred {
    /// The value, when there is one.
    var outcome: Success? { try? result()?.get() }
}
