import Glibc
import ReactorCore
import ReactorTesting
import Testing

@Suite struct CooperatorTests {
    private struct Broken: Error {}

    // MARK: Taking turns

    @Test func tasksTakeTurnsOneStepEach() async throws {  // S49
        try await withReactor { reactor in
            var log: [String] = []
            let groups = [["a", "b", "c"], ["1", "2", "3"], ["d", "e", "f"], ["4", "5", "6"]]
            let tasks = groups.map { group in
                reactor.coiterate(group.lazy.map { log.append($0) })
            }
            #expect(log.isEmpty)
            _ = try await gatherResults(tasks).value
            #expect(log == ["a", "1", "d", "4", "b", "2", "e", "5", "c", "3", "f", "6"])
        }
    }

    @Test func oneIteratorSharedByFiveTasksIsFiveSlots() async throws {  // S49
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            var log: [String] = []
            var busy = 0
            var mostBusy = 0
            @ReactorActor func install(_ customer: Int) -> Deferred<Void> {
                log.append("Scheduling \(customer)")
                busy += 1
                mostBusy = max(mostBusy, busy)
                return reactor.deferLater(.seconds(3)) { () -> Void in
                    busy -= 1
                    log.append("Finished \(customer)")
                    log.append("All done \(customer)")
                }
            }
            let customers = AnyIterator((0..<15).lazy.map { install($0) }.makeIterator())
            let developers = (0..<5).map { _ in reactor.coiterate(customers) }
            log.append("Bye")
            _ = try await gatherResults(developers).value
            let expected = stride(from: 0, to: 15, by: 5).flatMap { first in
                let five = first..<first + 5
                return five.map { "Scheduling \($0)" }
                    + five.flatMap { ["Finished \($0)", "All done \($0)"] }
            }
            #expect(log == ["Bye"] + expected)
            #expect(mostBusy == 5)
            #expect(reactor.now == ReactorInstant(nanoseconds: 9_000_000_000))
        }
    }

    @Test func iteratorThatIsAClassIsSharedToo() async throws {
        try await withReactor { reactor in
            let countdown = Countdown(from: 10)
            var steps = [0, 0]
            let tasks = (0..<2).map { index in
                reactor.cooperator.cooperate(while: {
                    steps[index] += 1
                    return countdown.next() != nil
                }).whenDone()
            }
            let shared = (0..<2).map { _ in reactor.coiterate(countdown) }
            _ = try await gatherResults(tasks + shared).value
            #expect(countdown.next() == nil)
            // Ten elements among four, who take turns.
            #expect(steps == [4, 4])
        }
    }

    @Test func iteratorThatIsAValueIsCopied() async throws {
        try await withReactor { reactor in
            var count = 0
            let steps = (0..<3).lazy.map { _ in count += 1 }
            _ = try await gatherResults((0..<2).map { _ in reactor.coiterate(steps) }).value
            #expect(count == 6)
        }
    }

    @Test func nilsAndOtherElementsAreJustSteps() async throws {
        try await withReactor { reactor in
            let third = Deferred<String>()
            let steps: [Deferred<String>?] = [nil, .succeed("now"), third, nil]
            var log: [Int] = []
            let done = reactor.coiterate(
                steps.enumerated().lazy.map {
                    log.append($0.offset); return $0.element
                })
            let mixed = reactor.coiterate([1, "two", Deferred<Int>.succeed(3), ()] as [Any])
            try await mixed.value
            #expect(log == [0, 1, 2] && !done.isCalled)
            try third.callback("later")
            try await done.value
            #expect(log == [0, 1, 2, 3])
        }
    }

    @Test func yieldedDeferredKeepsItsValue() async throws {
        try await withReactor { reactor in
            let answer = Deferred<Int>()
            let done = reactor.coiterate([answer])
            await reactor.makeTurns(2)
            try answer.callback(7)
            let value = try await answer.value
            #expect(value == 7)
            try await done.value
        }
    }

    // MARK: Slices

    @Test func withoutATimeSliceATurnIsAStep() async throws {
        try await withReactor(clock: ManualClock()) { reactor in
            let cooperator = Cooperator(on: reactor, timeSlice: .zero)
            var turns: [UInt64] = []
            _ = try await cooperator.coiterate((0..<5).lazy.map { _ in turns.append(reactor.turnCount) })
                .value
            #expect(zip(turns, turns.dropFirst()).allSatisfy { $1 == $0 + 1 }, "\(turns)")
        }
    }

    @Test func sliceEndsByRealTimeThoughTheClockStandsStill() async throws {
        try await withReactor(clock: ManualClock()) { reactor in
            var count = 0
            let task = reactor.cooperate(sequence(first: 0) { $0 + 1 }.lazy.map { _ in count += 1 })
            await reactor.makeTurns(2)
            #expect(count > 0)
            try task.stop()
        }
    }

    @Test func endlessTaskStarvesNeitherTimersNorDescriptors() async throws {
        try await withReactor { reactor in
            var fds: [Int32] = [0, 0]
            #expect(pipe(&fds) == 0)
            defer { for fd in fds { close(fd) } }
            let task = reactor.cooperate(repeatElement(0, count: .max))
            let writer = fds[1]
            reactor.callLater(.milliseconds(1)) { write(writer, "x", 1) }
            try await reactor.waitUntilReadable(fds[0])
            try await reactor.sleep(for: .milliseconds(1))
            #expect(!task.isDone)
            try task.stop()
            reactor.descriptorWillClose(fds[0])
        }
    }

    @Test func manyStepsNeedNoStack() async throws {
        try await withReactor { reactor in
            try await reactor.coiterate((0..<50_000).lazy.map { _ in Deferred.succeed(()) }).value
            try await reactor.coiterate(0..<100_000).value
        }
    }

    // MARK: Errors

    @Test func failedDeferredFailsTheTask() async throws {  // S49
        try await withReactor { reactor async throws in
            let now = reactor.coiterate([Deferred<Int>.fail(Broken())])
            await #expect(throws: Broken.self) { try await now.value }
            let later = reactor.coiterate([reactor.deferLater(.zero) { throw Broken() }])
            await #expect(throws: Broken.self) { try await later.value }
        }
    }

    @Test func failureOfAYieldedDeferredCountsAsHandled() async throws {
        let recorder = UnhandledErrorRecorder()
        let line = #line + 2
        try await withReactor { reactor async throws in
            let done = reactor.coiterate([Deferred<Int>.fail(Broken())])
            await #expect(throws: Broken.self) { try await done.value }
        }
        #expect(recorder.errors(ofLine: line).isEmpty)
    }

    @Test func errorOfAStepFailsTheTask() async throws {  // S49
        try await withReactor { reactor async throws in
            let done = reactor.cooperator.cooperate(while: { throw Broken() }).whenDone()
            await #expect(throws: Broken.self) { try await done.value }
        }
    }

    // MARK: Asynchronous steps

    @Test func asyncStepsAreMadeOneAfterAnother() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { reactor in
            var times: [Int64] = []
            let task = reactor.cooperator.cooperate(while: {
                try await reactor.sleep(for: .seconds(1))
                times.append(reactor.now.nanoseconds / 1_000_000_000)
                return times.count < 3
            })
            try await task.whenDone().value
            #expect(times == [1, 2, 3])
        }
    }

    @Test func asynchronousSequenceIsIterated() async throws {
        try await withReactor { reactor in
            var got: [Int] = []
            let (stream, source) = AsyncStream.makeStream(of: Int.self)
            let done = reactor.cooperator.coiterate(stream.map { @ReactorActor in got.append($0) })
            for number in 1...3 { source.yield(number) }
            while got.count < 3 { await reactor.yield() }
            #expect(!done.isCalled)
            source.finish()
            try await done.value
            #expect(got == [1, 2, 3])
        }
    }

    @Test func errorOfAnAsynchronousSequenceFailsTheTask() async throws {
        try await withReactor { reactor async throws in
            let (stream, source) = AsyncThrowingStream.makeStream(of: Int.self)
            let done = reactor.cooperator.coiterate(stream)
            source.finish(throwing: Broken())
            await #expect(throws: Broken.self) { try await done.value }
        }
    }

    @Test func stoppingATaskCancelsItsAsyncStep() async throws {
        try await withReactor(clock: ManualClock()) { reactor async throws in
            var hasBegun = false
            var hasCleanedUp = false
            let task = reactor.cooperator.cooperate(while: {
                hasBegun = true
                defer { hasCleanedUp = true }
                try await reactor.sleep(for: .seconds(60))
                return true
            })
            let done = task.whenDone()
            await reactor.makeTurns(4)
            #expect(hasBegun && !hasCleanedUp)
            try task.stop()
            let error = await #expect(throws: CooperatorError.self) { try await done.value }
            #expect(error?.code == .taskStopped)
            await reactor.makeTurns(4)
            #expect(hasCleanedUp)
        }
    }

    // MARK: Cancellation

    @Test func cancelledTaskMakesNoFurtherStep() async throws {
        try await withReactor(clock: ManualClock()) { reactor async throws in
            var count = 0
            let cooperator = Cooperator(on: reactor, timeSlice: .zero)
            let done = cooperator.coiterate(repeatElement(0, count: .max).lazy.map { _ in count += 1 })
            await reactor.makeTurns(3)
            let made = count
            done.cancel()
            let error = await #expect(throws: DeferredError.self) { try await done.value }
            #expect(error?.code == .cancelled)
            await reactor.makeTurns(3)
            #expect(count == made && made > 0)
            #expect(cooperator.taskCount == 0 && reactor.delayedCallCount == 0)
        }
    }

    @Test func cancelledTaskCancelsWhatItWaitsFor() async throws {
        try await withReactor { reactor async throws in
            let done = reactor.coiterate([reactor.deferLater(.seconds(60))])
            await reactor.makeTurns(2)
            done.cancel()
            await #expect(throws: DeferredError.self) { try await done.value }
            #expect(reactor.delayedCallCount == 0 && reactor.cooperator.taskCount == 0)
        }
    }

}

/// An iterator that is a class.
private final class Countdown: Sequence, IteratorProtocol {
    private var rest: Int
    init(from count: Int) { rest = count }
    func next() -> Int? {
        guard rest > 0 else { return nil }
        rest -= 1
        return rest
    }
}
