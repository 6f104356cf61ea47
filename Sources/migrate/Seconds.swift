import ArgumentParser
import ReactorCore

/// A duration on the command line: `60`, `60s`, `1.5s`, `200ms`, `2m`.
struct Seconds: ExpressibleByArgument {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let duration = Duration(humanReadable: argument) else { return nil }
        self.duration = duration
    }

    var defaultValueDescription: String { duration.humanReadable }
}
