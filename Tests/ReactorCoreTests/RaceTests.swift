import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct RaceTests {
    typealias Spam = DeferredTests.Spam

    @Test func firstValueWinsAndTheOthersAreCancelledOnce() async throws {  // S30
        try await withReactor { _ in
            var cancelled: [Int] = []
            let runners = (0..<3).map { number in Deferred<Int>(onCancel: { _ in cancelled.append(number) }) }
            let winner = race(runners)
            try runners[1].callback(10)
            let result = try winner.result()?.get()
            #expect(result?.index == 1 && result?.value == 10)
            #expect(cancelled == [0, 2])
        }
    }

    @Test func winnerThatHasFiredAlreadyCancelsThoseBehindIt() async throws {  // S30
        try await withReactor { _ in
            var cancelled: [Int] = []
            let late = Deferred<Int>(onCancel: { _ in cancelled.append(2) })
            let early = Deferred<Int>(onCancel: { _ in cancelled.append(0) })
            let result = try race([early, .succeed(1), late]).result()?.get()
            #expect(result?.index == 1)
            #expect(cancelled == [0, 2])
        }
    }

    @Test func errorIsNoWin() async throws {  // S30
        try await withReactor { _ in
            let runners = (0..<2).map { _ in Deferred<Int>() }
            let winner = race(runners)
            try runners[0].errback(Spam())
            #expect(!winner.isCalled)
            try runners[1].callback(1)
            #expect(winner.outcome?.index == 1)
        }
    }

    @Test func lateOutcomesVanish() async throws {  // S30
        let reports = UnhandledErrorRecorder()
        try await withReactor { _ in
            let runners = (1...3).map { Deferred<Int>(file: "S30/Runner.swift", line: UInt($0)) }
            let winner = race(runners)
            try runners[0].callback(1)
            try runners[1].callback(2)
            try runners[2].errback(Spam())
            #expect(winner.outcome?.index == 0)
        }
        #expect(reports.errors(file: "S30/Runner.swift").isEmpty)
    }

    @Test func whenAllFailTheErrorsComeInTheOrderOfTheRunners() async throws {  // S30
        try await withReactor { _ in
            let runners = (0..<3).map { _ in Deferred<Int>() }
            let winner = race(runners)
            for index in [2, 0, 1] { try runners[index].errback(Spam(number: index)) }
            let group = #expect(throws: FailureGroup.self) { try winner.result()?.get() }
            #expect(group?.errors as? [Spam] == (0..<3).map { Spam(number: $0) })
            #expect(group?.description == "all 3 failed: Spam(number: 0); Spam(number: 1); Spam(number: 2)")
            winner.addErrback { _ in (0, 0) }
        }
    }

    @Test func cancelCancelsAll() async throws {  // S30
        try await withReactor { _ in
            var cancelled: [Int] = []
            let runners = (0..<3).map { number in Deferred<Int>(onCancel: { _ in cancelled.append(number) }) }
            let winner = race(runners)
            winner.cancel()
            #expect(cancelled == [0, 1, 2])
            #expect(throws: FailureGroup.self) { try winner.result()?.get() }
            winner.addErrback { _ in (0, 0) }
        }
    }

    @Test func cancelledRunnerMayStillWin() async throws {  // S30
        try await withReactor { _ in
            var cancelled: [Int] = []
            let runners = (0..<3).map { number in
                Deferred<Int>(onCancel: {
                    cancelled.append(number)
                    if number == 1 { try? $0.callback(7) }
                })
            }
            let winner = race(runners)
            winner.cancel()
            #expect(winner.outcome?.value == 7)
            #expect(cancelled == [0, 1, 2])
        }
    }

    @Test func raceWithoutRunnersNeverEnds() async throws {
        try await withReactor { _ in #expect(!race([Deferred<Int>]()).isCalled) }
    }

    @Test func nothingIsLeftOfARace() async throws {
        let lives = Life.Count()
        try await withReactor { _ in
            @ReactorActor func runners() -> [Deferred<Int>] {
                (0..<3).map { _ in
                    let life = Life(lives)
                    return Deferred<Int>(onCancel: { _ in life.keep() })
                }
            }
            do {
                let first = runners()
                let winner = race(first)
                try first[2].callback(1)
                #expect(winner.isCalled)
            }
            #expect(lives.now == 0)
            // The runners that nobody holds are cancelled by the race all the same.
            let survivor = Deferred<Int>()
            let winner = race(runners() + [survivor])
            #expect(lives.now == 3)
            try survivor.callback(3)
            #expect(winner.outcome?.index == 3)
            #expect(lives.now == 0)
        }
    }
}

@Suite struct MaybeDeferredTests {
    typealias Spam = DeferredTests.Spam

    @Test func valueSucceeds() async throws {  // S31
        try await withReactor { _ in #expect(maybeDeferred { 5 }.outcome == 5) }
    }

    @Test func thrownErrorFails() async throws {  // S31
        try await withReactor { _ in
            let deferred = maybeDeferred { () throws -> Int in throw Spam(number: 31) }
            #expect(throws: Spam(number: 31)) { try deferred.result()?.get() }
            deferred.addErrback { _ in 0 }
        }
    }

    @Test func deferredIsItself() async throws {  // S31
        try await withReactor { _ in
            let deferred = Deferred<Int>()
            #expect(maybeDeferred { deferred }.isSame(as: deferred))
        }
    }

    @Test func errorThrownInTheDeferredsPlaceFails() async throws {  // S31
        try await withReactor { _ in
            let deferred = maybeDeferred { () throws -> Deferred<Int> in throw Spam(number: 31) }
            #expect(throws: Spam(number: 31)) { try deferred.result()?.get() }
            deferred.addErrback { _ in 0 }
        }
    }

    @Test func asyncBodyIsAwaited() async throws {  // S31
        try await withReactor { reactor in
            let deferred = maybeDeferred { () async throws -> Int in
                await reactor.yield()
                return 31
            }
            #expect(!deferred.isCalled)
            let value = try await deferred.value
            #expect(value == 31)
        }
    }
}
