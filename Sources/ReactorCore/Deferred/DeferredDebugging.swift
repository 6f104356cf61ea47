import Synchronization

/// Whether Deferreds keep a history for their error messages: `Deferred.isDebugEnabled`.
enum DeferredDebugging {
    private static let flag = Atomic<Bool>(false)

    static var isEnabled: Bool {
        get { flag.load(ordering: .relaxed) }
        set { flag.store(newValue, ordering: .relaxed) }
    }

    /// What happened to one Deferred, where. The newest steps: a chain may live for ever.
    final class Record: @unchecked Sendable, CustomStringConvertible {  // its chain's, and used as that is
        private var steps: [(what: StaticString, site: CallSite)] = []
        private var dropped = 0

        func note(_ what: StaticString, _ site: CallSite) {
            if steps.count == 32 {
                steps.removeFirst()
                dropped += 1
            }
            steps.append((what, site))
        }

        var description: String {
            "it was " + (dropped > 0 ? "(\(dropped) earlier steps), " : "")
                + steps.map { "\($0.what) \($0.site)" }.joined(separator: ", ")
        }
    }
}

extension Deferred where Success == Never {
    /// Whether Deferreds made from now on keep a history: where callbacks were added and where they were fired.
    ///
    /// Messages of `alreadyCalled` and of unhandled errors then tell it; the place where a Deferred was made they
    /// always tell. Costs a few hundred nanoseconds a callback. Off at first. Any thread. Twisted's
    /// `defer.setDebugging`.
    /// ```swift
    /// Deferred.isDebugEnabled = true
    /// ```
    public nonisolated static var isDebugEnabled: Bool {
        get { DeferredDebugging.isEnabled }
        set { DeferredDebugging.isEnabled = newValue }
    }
}
