import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct FailureTests {
    typealias Spam = DeferredTests.Spam
    struct Eggs: Error {}

    @Test func checkGivesTheErrorOfTheAskedType() {
        let failure = Failure(Spam(number: 1))
        #expect(failure.check(Spam.self) == Spam(number: 1))
        #expect(failure.check(Eggs.self) == nil)
    }

    @Test func trapThrowsWhatItDoesNotMatch() throws {
        let failure = Failure(Spam(number: 1), file: "Here/Raised.swift", line: 1)
        #expect(try failure.trap(Spam.self) == Spam(number: 1))
        let thrown = #expect(throws: Failure.self) { try failure.trap(Eggs.self) }
        #expect(thrown?.trail == ["Here/Raised.swift:1"])
    }

    @Test func wrappedFailureStaysOneFailure() {
        let failure = Failure(Failure(Spam(), file: "A/a.swift", line: 1), file: "B/b.swift", line: 2)
        #expect(failure.error as? Spam == Spam())
        #expect(failure.trail == ["A/a.swift:1", "B/b.swift:2"])
        #expect("\(failure)" == "Spam(number: 0) (raised at A/a.swift:1, passed on at B/b.swift:2)")
    }

    @Test func trapAsTwistedDoes() async throws {
        try await withReactor { _ in
            var log: [String] = []
            for error in [Spam() as any Error, Eggs()] {
                Deferred<Int>.fail(error)
                    .addFailureErrback { failure in
                        _ = try failure.trap(Spam.self)
                        log.append("trapped")
                        return 0
                    }
                    .addErrback {
                        log.append("\($0)")
                        return 0
                    }
            }
            #expect(log == ["trapped", "Eggs()"])
        }
    }

    @Test func trailNamesWhereTheErrorWasRaised() async throws {  // S33
        try await withReactor { _ in
            var trails: [[String]] = []
            @ReactorActor func look(_ deferred: Deferred<Int>) {
                deferred.addFailureErrback {
                    trails.append($0.trail)
                    return 0
                }
            }
            look(.fail(Spam(), file: "A/fail.swift", line: 1))
            let fired = Deferred<Int>()
            look(fired)
            try fired.errback(Spam(), file: "A/errback.swift", line: 2)
            look(Deferred.succeed(1).addCallback({ _ in throw Spam() }, file: "A/callback.swift", line: 3))
            #expect(trails == [["A/fail.swift:1"], ["A/errback.swift:2"], ["A/callback.swift:3"]])
        }
    }

    @Test func trailFollowsAnErrorThroughReturnedDeferreds() async throws {  // S33
        try await withReactor { _ in
            var trail: [String] = []
            let innermost = Deferred<Int>()
            Deferred.succeed(())
                .addCallback(
                    { Deferred.succeed(()).addCallback({ innermost }, file: "A/inner.swift", line: 2) },
                    file: "A/outer.swift", line: 3
                )
                .addErrback({ throw $0 }, file: "A/again.swift", line: 4)
                .addFailureErrback {
                    trail = $0.trail
                    return 0
                }
            try innermost.errback(Spam(), file: "A/raised.swift", line: 1)
            #expect(trail == ["A/raised.swift:1", "A/inner.swift:2", "A/outer.swift:3", "A/again.swift:4"])
        }
    }

    @Test func handledErrorLeavesNoTrail() async throws {  // S33
        try await withReactor { _ in
            var trail: [String] = []
            Deferred<Int>.fail(Spam(), file: "A/old.swift", line: 1)
                .addErrback { _ in 0 }
                .addCallback({ _ -> Int in throw Eggs() }, file: "A/new.swift", line: 2)
                .addFailureErrback {
                    trail = $0.trail
                    return 0
                }
            #expect(trail == ["A/new.swift:2"])
        }
    }

    @Test func failureGivenToErrbackKeepsItsTrail() async throws {  // S4, S33
        try await withReactor { _ in
            var trail: [String] = []
            let (first, second) = (Deferred<Int>(), Deferred<Int>())
            first.addFailureErrback {
                try second.errback($0, file: "A/handed.swift", line: 2)
                return 0
            }
            try first.errback(Spam(), file: "A/raised.swift", line: 1)
            second.addFailureErrback {
                trail = $0.trail
                return 0
            }
            #expect(trail == ["A/raised.swift:1", "A/handed.swift:2"])
        }
    }

    @Test func failureErrbackThatThrowsItsFailureGoesOnWithIt() async throws {
        try await withReactor { _ in
            var last: Failure?
            Deferred<Int>.fail(Spam(number: 3), file: "A/raised.swift", line: 1)
                .addFailureErrback { throw $0 }
                .addFailureErrback {
                    last = $0
                    return 0
                }
            #expect(last?.error as? Spam == Spam(number: 3))
            #expect(last?.trail.first == "A/raised.swift:1" && last?.trail.count == 2)
        }
    }

    @Test func longTrailKeepsItsBeginningAndItsEnd() async throws {  // S33
        try await withReactor { _ in
            var trail: [String] = []
            var deferred = Deferred<Int>.fail(Spam(), file: "A/raised.swift", line: 1)
            for line in 1...1000 {
                deferred = deferred.addErrback({ throw $0 }, file: "A/again.swift", line: UInt(line))
            }
            deferred.addFailureErrback {
                trail = $0.trail
                return 0
            }
            #expect(
                trail.count == 32 && trail.first == "A/raised.swift:1" && trail.last == "A/again.swift:1000")
        }
    }

    @Test func awaitingThrowsTheBareError() async throws {  // S33
        try await withReactor { reactor in
            let inner = Deferred<Int>()
            let outer = Deferred.succeed(()).addCallback { inner }.addErrback { throw $0 }
            let task = outer.task()
            await reactor.yield()
            try inner.errback(Spam(number: 33))
            let result = await task.result
            #expect(throws: Spam(number: 33)) { try result.get() }
        }
    }
}
