public import ArgumentParser
import ReactorCore

/// A program that prints a line `name nanoseconds` for each of its benchmarks, as the peers' programs do.
public protocol MeasuringProgram: ParsableCommand {
    /// What it can measure.
    static var benchmarks: [Benchmark] { get }
    /// What the command line asked for.
    var options: MeasuringOptions { get }
}

/// The options of every program that measures.
public struct MeasuringOptions: ParsableArguments {
    @Option(help: "Measure this one; may be repeated. All otherwise.") var only: [String] = []
    @Flag(help: "Take shorter batches.") var quick = false
    @Flag(help: "Do nothing, with a timer an hour away, until killed.") var idle = false

    /// No options given.
    public init() {}
}

extension MeasuringProgram {
    /// As `measure()`.
    public func run() throws { try measure() }

    /// Measures what was asked for, on the shared reactor.
    ///
    /// - Throws: `ValidationError` for an unknown name; what a benchmark throws.
    public func measure() throws {
        if options.idle { return try Self.idle() }
        let known = Self.benchmarks.map(\.name)
        if let unknown = options.only.first(where: { !known.contains($0) }) {
            throw ValidationError(
                "no benchmark is called \(unknown); there are \(known.joined(separator: ", "))")
        }
        let names = options.only.isEmpty ? known : options.only
        let isQuick = options.quick
        try Reactor.shared.run(until: {
            for benchmark in Self.benchmarks where names.contains(benchmark.name) {
                let nanoseconds = try await benchmark.measure(isQuick: isQuick)
                print(benchmark.name, nanoseconds)
            }
        })
    }

    private static func idle() throws {
        Reactor.shared.whenRunning {
            reactor.callLater(.seconds(3600)) { try reactor.stop() }
        }
        try Reactor.shared.run()
    }
}
