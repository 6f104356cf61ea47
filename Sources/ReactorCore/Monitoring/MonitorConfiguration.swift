import Glibc

/// What the environment says about the monitor.
enum MonitorConfiguration {
    /// The value of `REACTOR_MAX_BLOCKING`, or the default of the build: a tenth of a second in debug builds, else
    /// nothing.
    ///
    /// - Throws: `ReactorError` with code `invalidArgument` for a text that is no time.
    static func maxBlocking(_ text: String?) throws(ReactorError) -> Duration? {
        guard let text, !text.isEmpty else { return standard }
        if ["off", "no", "none", "false"].contains(text.lowercased()) { return nil }
        guard let duration = Duration(humanReadable: text) else {
            throw ReactorError(
                .invalidArgument,
                "REACTOR_MAX_BLOCKING is \"\(text)\": give seconds (0.25), a time (100ms), or off")
        }
        if duration == .zero { return nil }
        guard duration >= .milliseconds(1) else {
            throw ReactorError(
                .invalidArgument,
                "REACTOR_MAX_BLOCKING is \"\(text)\": a loop cannot be watched closer than 1ms")
        }
        return duration
    }

    static var environmentText: String? { getenv("REACTOR_MAX_BLOCKING").map { String(cString: $0) } }

    #if DEBUG
        private static let standard: Duration? = .milliseconds(100)
    #else
        private static let standard: Duration? = nil
    #endif
}
