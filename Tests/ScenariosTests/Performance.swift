import ReactorCore
import ReactorTesting
import Synchronization

@testable import scenarios

/// What a scenario said, and when.
struct Performance {
    /// In the order they were said.
    let lines: [String]
    /// When each was said, in the article's seconds since the start, to the nearest tenth.
    let times: [Double]
    /// How long the whole took, in the article's seconds, to the nearest tenth.
    let duration: Double
    /// Errors that no errback took, of Deferreds made in the file that was asked for.
    let unhandledErrors: [String]

    /// Plays a scenario on a clock that jumps to the next timer, so that a day takes no time; real threads do
    /// not follow it.
    ///
    /// - Parameter file: where unhandled errors are looked for; elsewhere they fail the test.
    static func of(_ scenario: Scenario, errorsIn file: StaticString? = nil) async throws -> Performance {
        try await of(scenario, scale: 1, clock: ManualClock(isAutomatic: true), errorsIn: file)
    }

    /// Plays a scenario on the machine's clock, its seconds a hundredth as long.
    static func inRealTime(of scenario: Scenario) async throws -> Performance {
        try await of(scenario, scale: 0.01, clock: MonotonicClock(), errorsIn: nil)
    }

    private static func of(
        _ scenario: Scenario, scale: Double, clock: any ReactorClock, errorsIn file: StaticString?
    ) async throws -> Performance {
        try await withReactor(clock: clock) { reactor in
            let start = clock.now
            @Sendable func time() -> Double {
                (start.duration(to: clock.now) / .seconds(scale) * 10).rounded() / 10
            }
            let said = Recording()
            let errors = UnhandledErrorRecorder()
            try await scenario.play(Stage(scale: scale) { said.add($0, at: time()) })
            return said.performance(
                duration: time(), unhandledErrors: file.map { errors.errors(file: $0) } ?? [])
        }
    }

    /// Lines in the order they were said; from any thread.
    private final class Recording: Sendable {
        private let said = Mutex<[(line: String, time: Double)]>([])

        func add(_ line: String, at time: Double) { said.withLock { $0.append((line, time)) } }

        func performance(duration: Double, unhandledErrors: [String]) -> Performance {
            let said = said.withLock { $0 }
            return Performance(
                lines: said.map(\.line), times: said.map(\.time), duration: duration,
                unhandledErrors: unhandledErrors)
        }
    }

    /// What was said at a time.
    func lines(at time: Double) -> [String] { zip(lines, times).filter { $0.1 == time }.map(\.0) }
}
