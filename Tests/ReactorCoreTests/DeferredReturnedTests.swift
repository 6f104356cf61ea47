import ReactorTesting
import Testing

@testable import ReactorCore

/// Callbacks that return Deferreds.
@Suite struct DeferredReturnedTests {
    typealias Spam = DeferredTests.Spam

    @Test func returnedDeferredHoldsTheChainAndGivesUpItsResult() async throws {  // S7
        try await withReactor { _ in
            var got = 0
            let inner = Deferred<Int>()
            let outer = Deferred<Void>()
            outer.addCallback { inner }.addCallback { got = $0 }
            try outer.callback(())
            #expect(outer.isPaused && got == 0)
            try inner.callback(42)
            #expect(got == 42 && !outer.isPaused)
            #expect(inner.chain.content == .value && inner.chain.valueType == Void.self)
        }
    }

    @Test func innerDeferredGoesOnAsVoidAfterItGaveUpItsValue() async throws {  // S7
        try await withReactor { _ in
            let inner = Deferred<Void>()
            var log: [String] = []
            Deferred.succeed(()).addCallback { inner }.addCallback { log.append("outer") }
            try inner.callback(())
            inner.addCallback { log.append("inner") }
            #expect(log == ["outer", "inner"])
        }
    }

    @Test func failedInnerDeferredFailsTheOuterAndIsNotReported() async throws {  // S8, S13
        let reports = UnhandledErrorRecorder()
        try await withReactor { _ in
            var got: (any Error)?
            let inner = Deferred<Int>(file: "S8/Inner.swift", line: 1)
            let outer = Deferred<Void>(file: "S8/Inner.swift", line: 2)
            outer.addCallback { inner }.addErrback {
                got = $0
                return 0
            }
            try outer.callback(())
            try inner.errback(Spam(number: 8))
            #expect(got as? Spam == Spam(number: 8))
        }
        #expect(reports.errors(file: "S8/Inner.swift").isEmpty)
    }

    @Test func settledInnerDeferredIsTakenOverAtOnce() async throws {  // S7
        try await withReactor { _ in
            var got = 0
            Deferred.succeed(()).addCallback { Deferred.succeed(3) }.addCallback { got = $0 }
            #expect(got == 3)
        }
    }

    @Test func errbackMayReturnADeferred() async throws {  // S9
        try await withReactor { _ in
            let inner = Deferred<Int>()
            var got = 0
            Deferred<Int>.fail(Spam()).addErrback { _ in inner }.addCallback { got = $0 }
            try inner.callback(9)
            #expect(got == 9)
        }
    }

    @Test func callbackForBothMayReturnADeferred() async throws {  // S9
        try await withReactor { _ in
            var got: [Int] = []
            for deferred in [Deferred<Int>.fail(Spam()), .succeed(1)] {
                deferred.addBoth { result in
                    Deferred.succeed((try? result.get()) ?? -1)
                }.addCallback { got.append($0) }
            }
            #expect(got == [-1, 1])
        }
    }

    @Test func chainingIsTransitive() async throws {  // S9
        try await withReactor { _ in
            let innermost = Deferred<Int>()
            var got = 0
            Deferred.succeed(())
                .addCallback {
                    Deferred.succeed(()).addCallback { Deferred.succeed(()).addCallback { innermost } }
                }
                .addCallback { got = $0 }
            try innermost.callback(9)
            #expect(got == 9)
        }
    }

    @Test func innerDeferredFiredInsideTheCallbackThatReturnsItIsTakenOver() async throws {
        try await withReactor { _ in
            var got = 0
            Deferred.succeed(()).addCallback { () throws -> Deferred<Int> in
                let inner = Deferred<Int>()
                try inner.callback(5)
                return inner
            }.addCallback { got = $0 }
            #expect(got == 5)
        }
    }

    /// The inner one is in the middle of its own callback when it is returned.
    @Test func runningInnerDeferredIsTakenOverWhenItsCallbackEnds() async throws {
        try await withReactor { _ in
            let (inner, outer) = (Deferred<Int>(), Deferred<Void>())
            var log: [String] = []
            outer.addCallback { inner }.addCallback { log.append("outer \($0)") }
            inner.addCallback { number -> Int in
                try outer.callback(())
                log.append("inner \(number)")
                return number + 1
            }
            try inner.callback(1)
            #expect(log == ["inner 1", "outer 2"])
        }
    }

    @Test func callbackReturningItsOwnDeferredIsAnErrorNotAHang() async throws {  // S11
        try await withReactor { _ in
            let deferred = Deferred<Int>()
            var got: (any Error)?
            deferred.addCallback { _ in deferred }.addErrback {
                got = $0
                return 0
            }
            try deferred.callback(1)
            #expect((got as? DeferredError)?.code == .circularChain)
        }
    }

    @Test(arguments: [2, 3, 10]) func ringOfDeferredsIsAnErrorNotAHang(_ count: Int) async throws {  // S11
        let lives = Life.Count()
        try await withReactor { _ in
            do {
                var errors: [DeferredError] = []
                let ring = (0..<count).map { _ in Deferred<Int>() }
                for (index, deferred) in ring.enumerated() {
                    let life = Life(lives)
                    let next = ring[(index + 1) % count]
                    deferred.addCallback { _ in
                        life.keep()
                        return next
                    }.addErrback { error in
                        life.keep()
                        (error as? DeferredError).map { errors.append($0) }
                        return index
                    }
                }
                for deferred in ring { try deferred.callback(0) }
                #expect(errors.map(\.code) == [.circularChain])
                #expect(errors.first?.message.contains("neither could ever go on") == true)
                #expect(ring[0].outcome != nil || count > 0)
            }
            #expect(lives.now == 0)
        }
    }

    @Test func ringThatIsClosedLaterIsFoundThen() async throws {  // S11
        try await withReactor { _ in
            let (a, b, c) = (Deferred<Void>(), Deferred<Void>(), Deferred<Void>())
            var log: [String] = []
            a.addCallback { b }.addCallback { log.append("a") }
            b.addCallback { c }.addCallback { log.append("b") }
            c.addCallback { log.append("c") }
            c.addCallback { a }.addErrback { log.append("\(($0 as? DeferredError)?.code == .circularChain)") }
            try a.callback(())
            try b.callback(())
            #expect(log.isEmpty)
            try c.callback(())
            #expect(log == ["c", "true", "b", "a"])
        }
    }
}
