import Glibc
public import ReactorCore

/// Something to do many times, and the name under which its time is printed.
@ReactorActor
public struct Benchmark {
    /// The name: lower case with hyphens, the same as in the peers' programs.
    public nonisolated let name: String
    private let minimumCount: Int
    private let setUp: @ReactorActor () -> Void
    private let tearDown: @ReactorActor () -> Void
    private let body: @ReactorActor (Int) async throws -> Void
    /// What is printed in the place of a time.
    private let figure: (@ReactorActor () async throws -> Double)?

    /// Names `body`, which does the thing as many times as its argument says.
    ///
    /// - Parameters:
    ///   - minimumCount: fewer would not show the usual cost, where clearing up is done once in a while.
    ///   - setUp: called once before, and not timed.
    ///   - tearDown: called once after.
    public nonisolated init(
        _ name: String, minimumCount: Int = 1,
        setUp: @escaping @ReactorActor () -> Void = {}, tearDown: @escaping @ReactorActor () -> Void = {},
        _ body: @escaping @ReactorActor (Int) async throws -> Void
    ) {
        self.name = name
        self.minimumCount = minimumCount
        self.setUp = setUp
        self.tearDown = tearDown
        self.body = body
        figure = nil
    }

    /// Names a figure that is no time, taken once.
    public nonisolated init(_ name: String, figure: @escaping @ReactorActor () async throws -> Double) {
        self.name = name
        minimumCount = 1
        setUp = {}
        tearDown = {}
        body = { _ in }
        self.figure = figure
    }

    /// Runs the body until a batch of it takes long enough to be timed, which also warms it up, then times
    /// five batches, or one when they take seconds. Returns the median of the nanoseconds of processor time that one took.
    ///
    /// Work that never waits takes as long by the clock, on a machine that does nothing else; on others the
    /// processor's time still tells what is ours.
    ///
    /// - Throws: what the body throws.
    public func measure(isQuick: Bool) async throws -> Double {
        if let figure { return try await figure() }
        setUp()
        defer { tearDown() }
        let enough: Int64 = isQuick ? 20_000_000 : 100_000_000
        var count = minimumCount
        while try await nanoseconds(for: count) < enough { count *= 2 }
        var batches: [Double] = []
        while batches.count < 5 {
            let time = try await nanoseconds(for: count)
            batches.append(Double(time) / Double(count))
            if time > 2_000_000_000 { break }
        }
        return batches.sorted()[batches.count / 2]
    }

    private func nanoseconds(for count: Int) async throws -> Int64 {
        let start = Self.processorTime
        try await body(count)
        return Self.processorTime - start
    }

    /// Nanoseconds that the process has spent on processors.
    private static var processorTime: Int64 {
        var value = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &value)
        return Int64(value.tv_sec) * 1_000_000_000 + Int64(value.tv_nsec)
    }
}
