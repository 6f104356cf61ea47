import ReactorTesting
import Testing

@testable import ReactorCore

/// A callback sees the task-local values that were bound where it was added.
@Suite struct TaskLocalsTests {
    enum Local {
        @TaskLocal static var number = 0
        @TaskLocal static var text = ""
        @TaskLocal static var life: Life?
    }

    @Test func callbackSeesTheValuesBoundWhereItWasAdded() async throws {
        try await withReactor { _ in
            var log: [String] = []
            let deferred = Deferred<Int>()
            Local.$number.withValue(5) {
                deferred.addCallback {
                    log.append("\(Local.number)")
                    return $0
                }
                Local.$text.withValue("inner") {
                    _ = deferred.addCallback {
                        log.append("\(Local.number) \(Local.text)")
                        return $0
                    }
                }
            }
            deferred.addCallback {
                log.append("\(Local.number) '\(Local.text)'")
                return $0
            }
            // Other values are bound where it is fired, and are bound there afterwards.
            try Local.$number.withValue(7) {
                try Local.$text.withValue("fired") {
                    try deferred.callback(1)
                    log.append("\(Local.number) \(Local.text)")
                }
            }
            #expect(log == ["5", "5 inner", "0 ''", "7 fired"])
        }
    }

    @Test func everyKindOfCallbackSeesThem() async throws {
        struct Spam: Error {}
        try await withReactor { _ in
            var log: [Int] = []
            let (good, bad) = (Deferred<Int>(), Deferred<Int>())
            Local.$number.withValue(1) {
                good.addBoth { _ -> Int in
                    log.append(Local.number)
                    return 0
                }
            }
            Local.$number.withValue(2) {
                _ = bad.addErrback { _ in
                    log.append(Local.number)
                    throw Spam()
                }
            }
            Local.$number.withValue(3) {
                _ = bad.addFailureErrback { _ in
                    log.append(Local.number)
                    return 0
                }
            }
            Local.$number.withValue(4) {
                _ = good.addCallback { _ -> Deferred<Int> in
                    log.append(Local.number)
                    return .succeed(0)
                }
            }
            try good.callback(0)
            try bad.errback(Spam())
            #expect(log == [1, 4, 2, 3])
        }
    }

    @Test func callbackAddedToAFiredDeferredSeesThem() async throws {
        try await withReactor { _ in
            var seen = 0
            let deferred = Deferred.succeed(())
            Local.$number.withValue(6) { _ = deferred.addCallback { seen = Local.number } }
            #expect(seen == 6)
        }
    }

    @Test func callbackResumedByAnInnerDeferredSeesThem() async throws {
        try await withReactor { _ in
            var seen: [Int] = []
            let inner = Deferred<Int>()
            Local.$number.withValue(1) {
                _ = Deferred.succeed(()).addCallback { inner }.addCallback { _ in seen.append(Local.number) }
            }
            try Local.$number.withValue(2) { try inner.callback(0) }
            #expect(seen == [1])
        }
    }

    @Test func asyncCallbackSeesThemAfterAWaitAndInItsChildren() async throws {
        try await withReactor { reactor in
            let deferred = Deferred<Int>()
            let seen = Local.$number.withValue(8) {
                deferred.addCallback { _ async throws -> [Int] in
                    await reactor.yield()
                    async let child = Local.number
                    return [Local.number, await child]
                }
            }
            try deferred.callback(1)
            let values = try await seen.value
            #expect(values == [8, 8])
        }
    }

    @Test func callbackAddedInATimersOrDescriptorsCallbackSeesThem() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            let deferred = Deferred<Int>()
            let seen = Deferred<Int>()
            reactor.callLater(.seconds(1)) {
                Local.$number.withValue(9) {
                    _ = deferred.addCallback { _ in try seen.callback(Local.number) }
                }
            }
            reactor.callLater(.seconds(2)) { try deferred.callback(1) }
            let number = try await seen.value
            #expect(number == 9)
        }
    }

    @Test func callbackAddedInAnAsyncLetChildSeesThem() async throws {
        try await withReactor { _ in
            let (deferred, seen) = (Deferred<Int>(), Deferred<Int>())
            await Local.$number.withValue(10) {
                async let child: Void = Self.forwardNumber(when: deferred, to: seen)
                await child
            }
            try deferred.callback(1)
            #expect(seen.outcome == 10)
        }
    }

    @ReactorActor private static func forwardNumber(when deferred: Deferred<Int>, to seen: Deferred<Int>) {
        deferred.addCallback { _ in try seen.callback(Local.number) }
    }

    @Test func callbackIsNotCancelledWithTheTaskThatFires() async throws {
        try await withReactor { reactor in
            let deferred = Deferred<Int>()
            var isCancelled: Bool?
            Local.$number.withValue(1) { _ = deferred.addCallback { _ in isCancelled = Task.isCancelled } }
            let task = Deferred<Void>(async: {
                withUnsafeCurrentTask { $0?.cancel() }
                try deferred.callback(1)
            })
            _ = try? await task.value
            #expect(isCancelled == false)
        }
    }

    @Test func nothingIsKeptWhereNothingIsBound() async throws {
        let kept = try await onThread { reactor in
            var kept = [TaskLocalSnapshot.capture() != nil]
            kept.append(await reactor.startTask { TaskLocalSnapshot.capture() != nil }.value)
            kept.append(Local.$number.withValue(1) { TaskLocalSnapshot.capture() != nil })
            kept.append(TaskLocalSnapshot.capture() != nil)
            let timer = Deferred<Bool>()
            reactor.callLater(.zero) { try timer.callback(TaskLocalSnapshot.capture() != nil) }
            kept.append(try await timer.value)
            return kept
        }
        #expect(kept == [false, false, true, false, false])
    }

    @Test func valuesOfASnapshotThatNeverRunsAreReleased() async throws {
        let lives = Life.Count()
        try await withReactor { _ in
            let elsewhereDropped = LastReference(Deferred<Int>())
            do {
                let deferred = Deferred<Int>()
                Local.$life.withValue(Life(lives)) {
                    for _ in 0..<100 { _ = deferred.addCallback { $0 } }
                    _ = elsewhereDropped.deferred?.addCallback { $0 }
                }
                #expect(lives.now == 1)
            }
            #expect(lives.now == 1, "the one that is left has it")
            await elsewhere { elsewhereDropped.deferred = nil }
            #expect(lives.now == 0)
        }
    }

    @Test func valuesOfASnapshotAreReleasedWhenItHasRun() async throws {
        let lives = Life.Count()
        try await withReactor { _ in
            let deferred = Deferred<Int>()
            Local.$life.withValue(Life(lives)) { _ = deferred.addCallback { $0 } }
            #expect(lives.now == 1)
            try deferred.callback(1)
            #expect(lives.now == 0)
        }
    }

    @Test func deferredMayOutliveItsReactor() async throws {
        let lives = Life.Count()
        let place = LastReference<Int>()
        try await withReactor { _ in
            let deferred = Deferred<Int>()
            Local.$life.withValue(Life(lives)) { _ = deferred.addCallback { $0 } }
            place.deferred = deferred
        }
        #expect(lives.now == 1)
        place.deferred = nil
        #expect(lives.now == 0)
    }

    @Test func hundredThousandCallbacksWithValuesRunOnASmallStack() async throws {  // S12
        let sum = try await onThread { _ in
            let deferred = Deferred<Int>()
            Local.$number.withValue(1) {
                for _ in 0..<100_000 { _ = deferred.addCallback { $0 + Local.number } }
            }
            try deferred.callback(0)
            return deferred.outcome
        }
        #expect(sum == 100_000)
    }
}
