import ReactorCore
public import Testing

/// Runs each case of a test, or of every test of a suite, once on each backend of the reactor.
///
/// ```swift
/// @Suite(.everyBackend) struct DescriptorTests {
///     @Test func readerWakes() async throws { try await withReactor { reactor in … } }
/// }
/// ```
/// In the test, reactors made without naming a backend are on the one whose turn it is, and issues say which that is.
/// Where the kernel refuses io_uring, a warning says that it was left out. Not for reactors made by threads of the
/// test's own, nor for exit tests: those take what the environment names.
public struct BackendTrait: TestTrait, SuiteTrait, TestScoping {
    /// On a suite it applies to each of its tests, those of suites within it included.
    public var isRecursive: Bool { true }

    private static let refusal: String? = {
        do throws(ReactorError) { _ = try Reactor(backend: .ioUring) } catch { return error.message }
        return nil
    }()

    /// Called by the testing library around each case.
    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await run(on: .epoll, test, testCase, function)
        if let refusal = Self.refusal {
            Issue.record("not run on io_uring: \(refusal)", severity: .warning)
        } else {
            try await run(on: .ioUring, test, testCase, function)
        }
    }

    private func run(
        on backend: Reactor.Backend, _ test: Test, _ testCase: Test.Case?,
        _ function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let naming = IssueHandlingTrait.compactMapIssues { issue in
            var issue = issue
            issue.comments.append("on the backend \(backend)")
            return issue
        }
        // Both wait for the end of what they run: the function does not escape.
        try await withoutActuallyEscaping(function) { function in
            try await naming.provideScope(for: test, testCase: testCase) {
                try await Reactor.Backend.$preferred.withValue(backend) { try await function() }
            }
        }
    }
}

extension Trait where Self == BackendTrait {
    /// Runs the test once on each backend of the reactor.
    public static var everyBackend: Self { Self() }
}
