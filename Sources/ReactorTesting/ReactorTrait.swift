public import ReactorCore
public import Testing

/// Runs each case of a test, or of every test of a suite, on a fresh reactor with a thread of its own, and fails it
/// when anything is left: `withReactor` as a trait.
///
/// ```swift
/// @Suite(.onReactor(clock: ManualClock(isAutomatic: true))) struct PatienceTests {
///     @Test @ReactorActor func hourPasses() async throws {
///         try await reactor.sleep(for: .seconds(3600))
///     }
/// }
/// ```
/// In the test `reactor` is that reactor, and `ManualClock.current` its manual clock, if it has one. Write
/// `@ReactorActor` at the test to use reactor-only API; without it, the test runs on the reactor's thread too.
/// Not at the suite: the library enters a suite's isolation to find its tests, before there is a reactor, and
/// would wait for `Reactor.shared` for ever.
/// A test fails on delayed calls, watched descriptors, greenlets and unhandled Deferred errors that it leaves.
public struct ReactorTrait: TestTrait, SuiteTrait, TestScoping {
    private let clock: @Sendable () -> any ReactorClock
    private let timeLimit: Duration
    private let stallLimit: Duration?

    init(clock: @escaping @Sendable () -> any ReactorClock, timeLimit: Duration, stallLimit: Duration?) {
        self.clock = clock
        self.timeLimit = timeLimit
        self.stallLimit = stallLimit
    }

    /// On a suite it applies to each of its tests, those of suites within it included.
    public var isRecursive: Bool { true }

    /// Called by the testing library around each case.
    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        // withReactor waits for the end of its body, cancelled or not: the function does not escape.
        try await withoutActuallyEscaping(function) { function in
            try await withReactor(clock: clock(), timeLimit: timeLimit, failsOnStallsOver: stallLimit) { _ in
                try await function()
            }
        }
    }
}

extension Trait where Self == ReactorTrait {
    /// Runs the test on a reactor with the machine's clock, for a minute at most.
    public static var onReactor: Self { onReactor() }

    /// Runs the test on a reactor.
    ///
    /// - Parameters:
    ///   - clock: makes the clock of each case.
    ///   - timeLimit: real time after which the test is cancelled and fails.
    ///   - failsOnStallsOver: how long one step of the test may keep the loop for itself; nil for any time.
    public static func onReactor(
        clock: @autoclosure @escaping @Sendable () -> any ReactorClock = MonotonicClock(),
        timeLimit: Duration = .seconds(60), failsOnStallsOver stallLimit: Duration? = nil
    ) -> Self {
        ReactorTrait(clock: clock, timeLimit: timeLimit, stallLimit: stallLimit)
    }
}

extension ManualClock {
    /// The manual clock of the reactor under test. Reactor only, in `withReactor` or `.onReactor`.
    ///
    /// - Precondition: The reactor was given a manual clock there.
    @ReactorActor public static var current: ManualClock {
        guard let clock = Reactor.current.clock as? ManualClock
        else {
            preconditionFailure(
                "the reactor of this test has no manual clock: give withReactor or .onReactor one")
        }
        return clock
    }
}
