import ArgumentParser
import Measuring

/// What fibers cost: made, parked, and waiting for sockets in libc's own functions.
@main
struct GreenletBench: MeasuringProgram {
    static let configuration = CommandConfiguration(
        commandName: "greenlet-bench", abstract: "Prints what fibers cost, in nanoseconds.")

    @OptionGroup var options: MeasuringOptions

    static let benchmarks = fiberBenchmarks + socketBenchmarks
}
