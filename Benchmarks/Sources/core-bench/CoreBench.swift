import ArgumentParser
import Measuring

/// The costs of the core: tasks, greenlets, Deferreds, timers. Beside it: `Benchmarks/peers/core*`.
@main
struct CoreBench: MeasuringProgram {
    static let configuration = CommandConfiguration(
        commandName: "core-bench", abstract: "Prints what the core's parts cost, in nanoseconds.")

    @OptionGroup var options: MeasuringOptions

    static let benchmarks =
        pingPongBenchmarks + spawnBenchmarks + yieldBenchmarks + deferredBenchmarks + timerBenchmarks
}
