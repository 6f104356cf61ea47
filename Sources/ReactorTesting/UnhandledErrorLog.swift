import Glibc
import ReactorCore
import Synchronization

/// Every error that reached the end of a Deferred in this process, and who has taken note of it.
///
/// `withReactor` fails for those of its reactor that no `UnhandledErrorRecorder` was asked about. An error of a
/// reactor that no test watches, or of a Deferred that was released on a foreign thread, goes to standard error.
final class UnhandledErrorLog: Sendable {
    /// Listens from its first use to the end of the process.
    static let shared = UnhandledErrorLog()

    struct Report {
        let site: String
        let error: String
        /// On whose thread the Deferred was released; nil on foreign threads.
        let reactor: ObjectIdentifier?
        var isHeard = false
    }

    private struct State {
        var reports: [Report] = []
        var watched: Set<ObjectIdentifier> = []
        var recorders = 0
    }

    private let state = Mutex(State())

    private init() {
        // Never taken out: the log lives as long as the process.
        _ = UnhandledErrors.observe { [unowned self] error, site in add("\(error)", site) }
    }

    private func add(_ error: String, _ site: String) {
        let current = Reactor.current
        let reactor = current.isOnReactorThread ? ObjectIdentifier(current) : nil
        let isAwaited = state.withLock { state in
            state.reports.append(Report(site: site, error: error, reactor: reactor))
            return state.recorders > 0 || reactor.map { state.watched.contains($0) } == true
        }
        guard !isAwaited else { return }
        let line = "Unhandled error in Deferred made at \(site): \(error)\n"
        _ = line.utf8CString.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count - 1) }
    }

    /// How many errors there have been; where a look starts.
    var count: Int { state.withLock { $0.reports.count } }

    /// From now on the errors of `reactor` are somebody's to ask for. Returns `count`.
    func watch(_ reactor: Reactor) -> Int {
        state.withLock { state in
            state.watched.insert(ObjectIdentifier(reactor))
            return state.reports.count
        }
    }

    /// Ends the watch; returns the errors of `reactor` since `start` that nobody has heard of.
    func endWatch(_ reactor: Reactor, since start: Int) -> [Report] {
        let reactor = ObjectIdentifier(reactor)
        return state.withLock { state in
            state.watched.remove(reactor)
            return state.reports[start...].filter { $0.reactor == reactor && !$0.isHeard }
        }
    }

    func recorderBegins() -> Int {
        state.withLock { state in
            state.recorders += 1
            return state.reports.count
        }
    }

    func recorderEnds() { state.withLock { $0.recorders -= 1 } }

    /// The errors since `start` from matching places. They count as heard.
    func hear(since start: Int, _ matches: (_ site: String) -> Bool) -> [String] {
        state.withLock { state in
            state.reports.indices[start...].filter { matches(state.reports[$0].site) }.map { index in
                state.reports[index].isHeard = true
                return state.reports[index].error
            }
        }
    }
}
