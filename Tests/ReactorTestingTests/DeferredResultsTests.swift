import ReactorCore
import ReactorTesting
import Synchronization
import Testing

private struct Spam: Error {}
private struct Eggs: Error {}

@Suite(.onReactor) struct DeferredResultsTests {
    @Test @ReactorActor func valueIsTakenOutOfTheChain() throws {
        let deferred = Deferred<Int>()
        try deferred.callback(5)
        let value = try successResult(of: deferred)
        #expect(value == 5)
    }

    @Test @ReactorActor func errorIsHandledByAskingForIt() throws {
        let spam = try failureResult(of: Deferred<Int>.fail(Spam()), as: Spam.self)
        #expect(type(of: spam) == Spam.self)
        let any = try failureResult(of: Deferred<Int>.fail(Eggs()))
        #expect(any is Eggs)
    }

    @Test @ReactorActor func expectingNoResultLeavesTheChainAlone() throws {
        let deferred = Deferred<Int>()
        expectNoResult(of: deferred)
        let longer = deferred.addCallback { $0 + 1 }
        try deferred.callback(5)
        let value = try successResult(of: longer)
        #expect(value == 6)
    }

    @Test @ReactorActor func missingResultIsAnIssueAtTheCallersLine() {
        let line = #line + 2
        expectIssue(at: line, "expected a value; the Deferred has no result yet") {
            _ = try successResult(of: Deferred<Int>())
        }
    }

    @Test @ReactorActor func wrongResultIsNamed() {
        expectIssue("expected a value; the Deferred failed with Spam: Spam()") {
            _ = try successResult(of: Deferred<Int>.fail(Spam()))
        }
        expectIssue("expected an error; the Deferred has the value 7") {
            _ = try failureResult(of: Deferred.succeed(7))
        }
        expectIssue("expected Eggs; the Deferred failed with Spam: Spam()") {
            _ = try failureResult(of: Deferred<Int>.fail(Spam()), as: Eggs.self)
        }
        expectIssue("expected no result yet; the Deferred has the value 7") {
            expectNoResult(of: Deferred.succeed(7))
        }
    }

    @Test @ReactorActor func resultThatCameTooEarlyIsAnIssue() {
        let deferred = Deferred<Int>.fail(Spam())
        expectIssue("expected no result yet; the Deferred failed with Spam: Spam()") {
            expectNoResult(of: deferred)
        }
        deferred.addErrback { _ in 0 }
    }

    /// Runs `body`, which must record exactly one issue, with this text.
    @ReactorActor private func expectIssue(
        at line: Int? = nil, _ text: String, _ body: @ReactorActor () throws -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let issues = Mutex<[Issue]>([])
        try? withKnownIssue(sourceLocation: sourceLocation) {
            try body()
        } matching: { issue in
            issues.withLock { $0.append(issue) }
            return true
        }
        let found = issues.withLock { $0 }
        #expect(found.count == 1, sourceLocation: sourceLocation)
        #expect(found.first?.comments.map(\.rawValue) == [text], sourceLocation: sourceLocation)
        if let line { #expect(found.first?.sourceLocation?.line == line, sourceLocation: sourceLocation) }
    }
}
