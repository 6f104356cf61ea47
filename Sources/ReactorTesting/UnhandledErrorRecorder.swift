/// Hears the unhandled errors of Deferreds while it lives: what would be logged as "Unhandled error in Deferred".
///
/// Hears those of all reactors in the process, other tests' too: ask by the place where the Deferred was made.
/// An error that was asked for no longer fails `withReactor`, so ask before its body ends, as with Twisted's
/// `flushLoggedErrors`. Any thread.
public final class UnhandledErrorRecorder: Sendable {
    private let start: Int

    /// Begins to listen.
    public init() { start = UnhandledErrorLog.shared.recorderBegins() }

    deinit { UnhandledErrorLog.shared.recorderEnds() }

    /// The errors of Deferreds made on a line of the calling file, as text, in the order they were reported.
    public func errors(ofLine line: Int, file: StaticString = #fileID) -> [String] {
        UnhandledErrorLog.shared.hear(since: start) { $0 == "\(file):\(line)" }
    }

    /// The errors of Deferreds made anywhere in the calling file.
    public func errors(file: StaticString = #fileID) -> [String] {
        UnhandledErrorLog.shared.hear(since: start) { $0.hasPrefix("\(file):") }
    }
}
