import Glibc

/// Where a scenario plays: how long its seconds are, and who hears what it says.
struct Stage: Sendable {
    /// How long a second takes, in seconds.
    let scale: Double
    /// Says one line. Any thread.
    let print: @Sendable (String) -> Void

    /// So many of the article's seconds.
    func seconds(_ count: Double) -> Duration { .seconds(count * scale) }

    /// The same for calls of the C library.
    func microseconds(ofSeconds count: Double) -> useconds_t { useconds_t(count * scale * 1_000_000) }

    /// Says lines on the standard output, each whole and at once, whichever thread or greenlet speaks.
    static func onStandardOutput(scale: Double) -> Stage {
        Stage(scale: scale) { line in
            var bytes = Array((line + "\n").utf8)[...]
            while !bytes.isEmpty {
                let count = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
                if count < 0, errno != EINTR { return }  // nobody listens
                bytes = bytes.dropFirst(max(0, count))
            }
        }
    }
}
