import Greenlets
import ReactorCore
import ReactorTesting
import Testing

/// The README's example of greenlets.
@Suite struct ReadmeGreenletsExampleTests {
    @Test(.onReactor(clock: ManualClock(isAutomatic: true)))
    @ReactorActor func exampleRuns() async throws {
        // A scope that is not left while one of its greenlets runs; the first error ends the rest.
        let total = try await withGreenlets { scope in
            let left = try scope.spawn { try measure(3) }
            let right = try scope.spawn { try measure(4) }
            return try await left.get() + right.get()
        }

        // geventreactor's calls, with arguments.
        let sum = try await reactor.deferToGreenlet(measure, 5).addCallback { $0 + total }.value

        // Links, and greenlets as they end.
        var log: [String] = []
        let jobs = [3, 1, 2].map { number in Greenlet(name: "job \(number)") { try measure(number) } }
        for job in jobs {
            job.onFailure { log.append("\($0.name) failed") }
            job.start()
        }
        for try await job in Greenlet.completions(of: jobs) { log.append(job.name) }

        #expect(total == 7 && sum == 12)
        #expect(log == ["job 1", "job 2", "job 3"])
    }
}

/// Looks blocking, and parks.
private func measure(_ number: Int) throws -> Int {
    try Greenlet.sleep(for: .seconds(number))
    return number
}
