import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct UnhandledErrorsTests {
    typealias Spam = DeferredTests.Spam

    @Test func unhandledErrorIsReportedOnceAtRelease() async throws {  // S13
        let reports = UnhandledErrorRecorder()
        try await withReactor(failsOnUnhandledErrors: false) { _ in
            let place = LastReference(Deferred<Int>.fail(Spam(number: 13), file: "S13/Once.swift", line: 1))
            let copy = place.deferred
            place.deferred = nil
            withExtendedLifetime(copy) {
                #expect(
                    reports.errors(file: "S13/Once.swift").isEmpty, "not before the last reference is gone")
            }
        }
        #expect(reports.errors(ofLine: 1, file: "S13/Once.swift") == ["Spam(number: 13)"])
    }

    @Test func handledErrorIsNeverReported() async throws {  // S13
        let reports = UnhandledErrorRecorder()
        try await withReactor { reactor in
            Deferred<Int>.fail(Spam(), file: "S13/Handled.swift", line: 1).addErrback { _ in 0 }
            Deferred<Int>.fail(Spam(), file: "S13/Handled.swift", line: 2).addBoth { _ in }
            let awaited = Deferred<Int>.fail(Spam(), file: "S13/Handled.swift", line: 3)
            await #expect(throws: Spam.self) { try await awaited.value }
            Deferred<Int>.fail(Spam(), file: "S13/Handled.swift", line: 4).addErrback { _ async throws in 0 }
            await settle(reactor)
        }
        #expect(reports.errors(file: "S13/Handled.swift").isEmpty)
    }

    @Test func errorThrownByTheLastErrbackIsReported() async throws {  // S13
        let reports = UnhandledErrorRecorder()
        try await withReactor(failsOnUnhandledErrors: false) { _ in
            // Not the closure's value, which would live on for a while.
            _ = Deferred<Int>.fail(Spam(number: 1), file: "S13/Last.swift", line: 1)
                .addErrback { _ in throw Spam(number: 2) }
        }
        #expect(reports.errors(file: "S13/Last.swift") == ["Spam(number: 2)"])
    }

    @Test func errorAfterAnAwaitedOneIsReported() async throws {  // S13
        let reports = UnhandledErrorRecorder()
        try await withReactor(failsOnUnhandledErrors: false) { _ in
            let deferred = Deferred<Int>.fail(Spam(number: 1), file: "S13/After.swift", line: 1)
            await #expect(throws: Spam.self) { try await deferred.value }
            deferred.addErrback { _ in throw Spam(number: 2) }
        }
        #expect(reports.errors(file: "S13/After.swift") == ["Spam(number: 2)"])
    }

    @Test func errorThatWentToTheOuterDeferredIsReportedThere() async throws {  // S8, S13
        let reports = UnhandledErrorRecorder()
        try await withReactor(failsOnUnhandledErrors: false) { _ in
            let inner = Deferred<Int>(file: "S13/Outer.swift", line: 1)
            Deferred.succeed((), file: "S13/Outer.swift", line: 2).addCallback { inner }
            try inner.errback(Spam(number: 8))
        }
        #expect(reports.errors(ofLine: 1, file: "S13/Outer.swift").isEmpty)
        #expect(reports.errors(ofLine: 2, file: "S13/Outer.swift") == ["Spam(number: 8)"])
    }

    /// As in Twisted: an unfired Deferred that is cancelled has failed, and nobody who listened was told.
    @Test func cancellationThatNobodyHandlesIsReported() async throws {
        let reports = UnhandledErrorRecorder()
        try await withReactor(failsOnUnhandledErrors: false) { _ in
            Deferred<Int>(file: "S13/Cancelled.swift", line: 1).cancel()
            // A task's own cancellation is no error that anybody waits to hear of.
            _ = Deferred<Int>.fail(CancellationError(), file: "S13/Cancelled.swift", line: 2)
        }
        #expect(reports.errors(ofLine: 1, file: "S13/Cancelled.swift").count == 1)
        #expect(reports.errors(ofLine: 2, file: "S13/Cancelled.swift").isEmpty)
    }

    @Test func cancelledAsyncBodyIsNotReported() async throws {
        let reports = UnhandledErrorRecorder()
        try await withReactor { reactor in
            let body = Deferred<Void>(
                async: { try await reactor.sleep(for: .seconds(3600)) }, file: "S13/Body.swift", line: 1)
            await reactor.yield()
            body.cancel()
            await settle(reactor)
            #expect(body.isCalled)
        }
        #expect(reports.errors(file: "S13/Body.swift").isEmpty)
    }

    @Test func errorDroppedOnAnotherThreadIsReported() async throws {  // S13
        let reports = UnhandledErrorRecorder()
        try await withReactor(failsOnUnhandledErrors: false) { _ in
            let place = LastReference(Deferred<Int>.fail(Spam(number: 5), file: "S13/Thread.swift", line: 1))
            await elsewhere { place.deferred = nil }
            #expect(reports.errors(file: "S13/Thread.swift") == ["Spam(number: 5)"])
        }
    }

    @Test func observerThatHasLeftHearsNothing() async throws {
        let heard = Life.Count()
        let number = UnhandledErrors.observe { _, site in
            if site == "S13/Left.swift:1" { _ = Unmanaged.passRetained(Life(heard)) }
        }
        let reports = UnhandledErrorRecorder()
        UnhandledErrors.stopObserving(number)
        try await withReactor(failsOnUnhandledErrors: false) { _ in
            _ = Deferred<Int>.fail(Spam(), file: "S13/Left.swift", line: 1)
        }
        #expect(heard.now == 0 && reports.errors(file: "S13/Left.swift").count == 1)
    }

    @Test func logSaysWhereTheDeferredWasMadeAndTheWayOfTheError() async {  // S13, S33
        let exit = await #expect(
            processExitsWith: .success, observing: [\.standardErrorContent, \.standardOutputContent]
        ) {
            try Reactor().run(until: {
                let inner = Deferred<Int>()
                Deferred.succeed((), file: "Log/Made.swift", line: 1)
                    .addCallback({ inner }, file: "Log/Passed.swift", line: 2)
                try inner.errback(Spam(number: 13), file: "Log/Raised.swift", line: 3)
            })
        }
        let said = String(
            decoding: (exit?.standardErrorContent ?? []) + (exit?.standardOutputContent ?? []), as: UTF8.self)
        let expected =
            "Unhandled error in Deferred made at Log/Made.swift:1: Spam(number: 13) "
            + "(raised at Log/Raised.swift:3, passed on at Log/Passed.swift:2)"
        #expect(said.ranges(of: expected).count == 1, "once")
    }
}

/// Debugging is a switch of the whole process: each test here runs in one of its own.
@Suite struct DeferredDebuggingTests {
    typealias Spam = DeferredTests.Spam

    @Test func historyIsToldByAlreadyCalled() async {
        await #expect(processExitsWith: .success) {
            Deferred.isDebugEnabled = true
            try await withReactor { _ in
                let deferred = Deferred<Int>()
                deferred.addCallback({ $0 }, file: "A/added.swift", line: 1)
                try deferred.callback(1, file: "A/fired.swift", line: 2)
                let error = #expect(throws: DeferredError.self) { try deferred.callback(2) }
                let message = try #require(error).message
                precondition(
                    message.contains("it was given a callback at A/added.swift:1, fired at A/fired.swift:2"))
            }
        }
    }

    @Test func historyIsToldWithAnUnhandledError() async {
        let exit = await #expect(
            processExitsWith: .success, observing: [\.standardErrorContent, \.standardOutputContent]
        ) {
            Deferred.isDebugEnabled = true
            try Reactor().run(until: {
                _ = Deferred<Int>.fail(Spam(), file: "A/failed.swift", line: 1)
            })
        }
        let said = String(
            decoding: (exit?.standardErrorContent ?? []) + (exit?.standardOutputContent ?? []), as: UTF8.self)
        #expect(said.contains("; it was fired at A/failed.swift:1"))
    }

    @Test func historyKeepsTheNewestSteps() {
        let record = DeferredDebugging.Record()
        for number in 1...40 { record.note("given a callback at", CallSite("A/a.swift", UInt(number))) }
        #expect(record.description.hasPrefix("it was (8 earlier steps), given a callback at A/a.swift:9, "))
        #expect(record.description.hasSuffix("A/a.swift:40"))
    }

    @Test func noHistoryIsKeptUnlessAskedFor() async throws {
        try await withReactor { _ in
            let deferred = Deferred.succeed(1)
            let error = #expect(throws: DeferredError.self) { try deferred.callback(2) }
            #expect(error?.message.contains("it was") == false)
            #expect(!Deferred.isDebugEnabled)
        }
    }
}
