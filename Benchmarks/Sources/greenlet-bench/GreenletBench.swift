import ArgumentParser
import Measuring

/// What greenlets cost: fibers made, parked, and waiting for sockets in libc's own functions, and memory.
@main
struct GreenletBench: MeasuringProgram {
    static let configuration = CommandConfiguration(
        commandName: "greenlet-bench", abstract: "Prints what greenlets cost: nanoseconds, or MiB.")

    @OptionGroup var options: MeasuringOptions

    static let benchmarks = fiberBenchmarks + socketBenchmarks + memoryBenchmarks
}
