extension Duration {
    /// Reads what people write on command lines: `2s`, `250ms`, `1.5s`, `1m`, and `60` for seconds. Nil when it is none of
    /// these, negative, or more than a billion.
    package init?(humanReadable text: String) {
        let number = text.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(number), value.isFinite, value < 1e9 else { return nil }
        switch text.dropFirst(number.count) {
        case "ms": self = .milliseconds(value)
        case "", "s": self = .seconds(value)
        case "m", "min": self = .seconds(value * 60)
        default: return nil
        }
    }

    /// `2s`, `250ms`, `1.5s`.
    package var humanReadable: String {
        let milliseconds = self / .milliseconds(1)
        if milliseconds < 1000 { return "\(Int(milliseconds.rounded()))ms" }
        let seconds = (milliseconds / 10).rounded() / 100
        return seconds == seconds.rounded() ? "\(Int(seconds))s" : "\(seconds)s"
    }
}
