import ReactorCore
import Synchronization

/// Hears the unhandled errors of Deferreds while it lives: what would be logged as "Unhandled error in Deferred".
///
/// Hears those of all reactors in the process, other tests' too: ask by the place where the Deferred was made. Any thread.
public final class UnhandledErrorRecorder: Sendable {
    private struct Report {
        let site: String
        let error: String
    }

    /// What the observer holds, so that it does not hold the recorder.
    private final class Reports: Sendable {
        let all = Mutex<[Report]>([])
    }

    private let reports = Reports()
    private let number: Int

    /// Begins to listen.
    public init() {
        number = UnhandledErrors.observe { [reports] error, site in
            reports.all.withLock { $0.append(Report(site: site, error: "\(error)")) }
        }
    }

    deinit { UnhandledErrors.stopObserving(number) }

    /// The errors of Deferreds made on a line of the calling file, as text, in the order they were reported.
    public func errors(ofLine line: Int, file: StaticString = #fileID) -> [String] {
        reports.all.withLock { all in all.filter { $0.site == "\(file):\(line)" }.map(\.error) }
    }

    /// The errors of Deferreds made anywhere in the calling file.
    public func errors(file: StaticString = #fileID) -> [String] {
        reports.all.withLock { all in all.filter { $0.site.hasPrefix("\(file):") }.map(\.error) }
    }
}
