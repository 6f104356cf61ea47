import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct DeferredAsyncTests {
    typealias Spam = DeferredTests.Spam

    @Test func awaitOfAChainedDeferredGivesTheFinalValue() async throws {  // S33
        try await withReactor { reactor in
            let inner = Deferred<Int>()
            let outer = Deferred.succeed(()).addCallback { inner }.addCallback { $0 + 1 }
            let task = outer.task()
            await reactor.yield()
            try inner.callback(32)
            let value = try await task.value
            #expect(value == 33)
        }
    }

    @Test func severalTasksAwaitOneDeferredAndCallbacksSeeTheOutcomeToo() async throws {
        try await withReactor { reactor in
            let deferred = Deferred<Int>()
            let tasks = (0..<3).map { _ in deferred.task() }
            var got = 0
            await reactor.yield()
            deferred.addCallback {
                got = $0
                return $0 * 2
            }
            let late = deferred.task()
            await reactor.yield()
            try deferred.callback(5)
            for task in tasks {
                let value = try await task.value
                #expect(value == 5, "as it was when they asked")
            }
            let after = try await late.value
            let again = try await deferred.value
            #expect(after == 10 && again == 10 && got == 5)
        }
    }

    @Test func severalTasksAwaitOneError() async throws {
        let reports = UnhandledErrorRecorder()
        try await withReactor { reactor in
            let deferred = Deferred<Int>(file: "Async/Error.swift", line: 1)
            let tasks = (0..<3).map { _ in deferred.task() }
            await reactor.yield()
            try deferred.errback(Spam(number: 2))
            for task in tasks {
                let result = await task.result
                #expect(throws: Spam(number: 2)) { try result.get() }
            }
        }
        #expect(reports.errors(file: "Async/Error.swift").isEmpty)
    }

    @Test func cancellingOneOfSeveralTasksCancelsTheDeferredForAll() async throws {
        try await withReactor { reactor in
            let deferred = Deferred<Int>()
            let tasks = (0..<3).map { _ in deferred.task() }
            await settle(reactor)
            tasks[1].cancel()
            for task in tasks {
                let result = await task.result
                let error = #expect(throws: DeferredError.self) { try result.get() }
                #expect(error?.code == .cancelled)
            }
        }
    }

    @Test func cancelledTaskThatBeginsToAwaitCancels() async throws {
        try await withReactor { reactor in
            let deferred = Deferred<Int>()
            let task = deferred.task()
            task.cancel()
            let result = await task.result
            #expect(throws: DeferredError.self) { try result.get() }
            #expect(deferred.isCalled)
        }
    }

    @Test func cancelledTaskStillGetsAnOutcomeThatIsThere() async throws {
        try await withReactor { reactor in
            let task = Deferred.succeed(4).task()
            task.cancel()
            let value = try await task.value
            #expect(value == 4)
        }
    }

    @Test func cancellationFromAnotherThreadArrives() async throws {
        try await withReactor { reactor in
            var isOnReactor = false
            let deferred = Deferred<Int>(onCancel: { _ in isOnReactor = reactor.isOnReactorThread })
            let task = deferred.task()
            await settle(reactor)
            await elsewhere { task.cancel() }
            let result = await task.result
            #expect(isOnReactor)
            #expect(throws: DeferredError.self) { try result.get() }
        }
    }

    @Test func cancellerMaySatisfyTheAwaitingTask() async throws {
        try await withReactor { reactor in
            let task = Deferred<Int>(onCancel: { try? $0.callback(16) }).task()
            await settle(reactor)
            task.cancel()
            let value = try await task.value
            #expect(value == 16)
        }
    }

    @Test func asyncBodyFiresWithItsValueOrError() async throws {
        try await withReactor { reactor in
            let (good, bad) = (
                Deferred<Int>(async: {
                    await reactor.yield()
                    return 1
                }),
                Deferred<Int>(async: {
                    await reactor.yield()
                    throw Spam(number: 1)
                })
            )
            let value = try await good.value
            #expect(value == 1)
            await #expect(throws: Spam(number: 1)) { try await bad.value }
        }
    }

    @Test func deferredOfATaskFiresWithItsOutcomeAndCancelsIt() async throws {
        try await withReactor { reactor in
            let done = Task<Int, any Error> { 3 }.deferred()
            let value = try await done.value
            #expect(value == 3)
            let endless = Task<Int, any Error> {
                try await Task.sleep(for: .seconds(3600))
                return 1
            }.deferred()
            endless.cancel()
            await #expect(throws: CancellationError.self) { try await endless.value }
        }
    }

    @Test func taskOfADeferredRunsOnTheReactor() async throws {
        try await withReactor { reactor in
            let task = Deferred.succeed(()).addCallback { reactor.isOnReactorThread }.task()
            let isThere = try await task.value
            #expect(isThere)
        }
    }

    @Test func taskKeepsItsDeferredAndDropsItInTheEnd() async throws {
        let lives = Life.Count()
        try await withReactor { reactor in
            let source = LastReference(Deferred<Int>())
            let task: Task<Life, any Error>
            do {
                let life = Life(lives)
                task = source.deferred!.addCallback { _ in life }.task()
            }
            await settle(reactor)
            #expect(lives.now == 1)
            task.cancel()
            let result = await task.result
            #expect(throws: DeferredError.self) { try result.get() }
            source.deferred = nil
            await settle(reactor)
            #expect(lives.now == 0)
        }
    }
}
