import Glibc
public import ReactorCore

/// Something to do many times, and the name under which its time is printed.
@ReactorActor
public struct Benchmark {
    /// The name: lower case with hyphens, the same as in the peers' programs.
    public nonisolated let name: String
    private let time: Time
    private let minimumCount: Int
    private let setUp: @ReactorActor () -> Void
    private let tearDown: @ReactorActor () -> Void
    private let body: @ReactorActor (Int) async throws -> Void

    /// What is counted as time.
    public enum Time: Sendable {
        /// What a watch on the wall shows.
        case elapsed
        /// What the processor spent, for work that mostly waits.
        case processor
    }

    /// Names `body`, which does the thing as many times as its argument says.
    ///
    /// - Parameters:
    ///   - time: what is counted.
    ///   - minimumCount: fewer would not show the usual cost, where clearing up is done once in a while.
    ///   - setUp: called once before, and not timed.
    ///   - tearDown: called once after.
    public nonisolated init(
        _ name: String, time: Time = .elapsed, minimumCount: Int = 1,
        setUp: @escaping @ReactorActor () -> Void = {}, tearDown: @escaping @ReactorActor () -> Void = {},
        _ body: @escaping @ReactorActor (Int) async throws -> Void
    ) {
        self.name = name
        self.time = time
        self.minimumCount = minimumCount
        self.setUp = setUp
        self.tearDown = tearDown
        self.body = body
    }

    /// Runs the body until a batch of it takes long enough to be timed, which also warms it up, then times
    /// five batches. Returns the median of the nanoseconds that one took.
    ///
    /// - Throws: what the body throws.
    public func measure(isQuick: Bool) async throws -> Double {
        setUp()
        defer { tearDown() }
        let enough: Int64 = isQuick ? 20_000_000 : 100_000_000
        var count = minimumCount
        while try await nanoseconds(for: count) < enough { count *= 2 }
        var batches: [Double] = []
        for _ in 0..<5 { batches.append(Double(try await nanoseconds(for: count)) / Double(count)) }
        return batches.sorted()[2]
    }

    private func nanoseconds(for count: Int) async throws -> Int64 {
        let start = read()
        try await body(count)
        return read() - start
    }

    private func read() -> Int64 {
        var value = timespec()
        switch time {
        case .elapsed: clock_gettime(CLOCK_MONOTONIC, &value)
        case .processor: clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &value)
        }
        return Int64(value.tv_sec) * 1_000_000_000 + Int64(value.tv_nsec)
    }
}
