import Glibc

/// The time of day, for reports.
enum WallClock {
    /// UTC after ISO 8601, to the second: `2026-11-21T15:33:48Z`.
    static var now: String { text(of: time(nil)) }

    static func text(of time: time_t) -> String {
        var time = time
        var parts = tm()
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
