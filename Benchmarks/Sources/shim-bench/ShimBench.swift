import ArgumentParser
import Measuring

/// What a libc function costs behind its shim where no greenlet's code runs, and what it costs without.
@main
struct ShimBench: MeasuringProgram {
    static let configuration = CommandConfiguration(
        commandName: "shim-bench",
        abstract: "Prints what libc's functions cost off fibers, shimmed and as libc's own, in nanoseconds.")

    @OptionGroup var options: MeasuringOptions

    static let benchmarks = offFiberBenchmarks
}
