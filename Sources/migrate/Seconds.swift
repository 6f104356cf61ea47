import ArgumentParser

/// A duration on the command line: `60`, `60s`, `1.5s`, `200ms`, `2m`.
struct Seconds: ExpressibleByArgument {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        let unit = argument.drop { $0.isNumber || $0 == "." }
        guard let number = Double(argument.dropLast(unit.count)), number.isFinite, number < 1e9 else {
            return nil
        }
        switch unit {
        case "", "s": duration = .seconds(number)
        case "ms": duration = .milliseconds(number)
        case "m", "min": duration = .seconds(number * 60)
        default: return nil
        }
    }

    var defaultValueDescription: String { "\(duration.components.seconds)s" }
}
