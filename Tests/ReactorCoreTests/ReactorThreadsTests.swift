import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

private struct Spam: Error, Equatable {}

@Suite(.everyBackend) struct DeferToThreadTests {
    @Test func functionWithArgumentsGivesItsValue() async throws {  // S40
        try await withReactor { reactor in
            @Sendable func sum(_ x: Int, _ y: Int) throws -> Int { x + y }
            let method = try await reactor.deferToThread(sum, 3, 4).value
            let function = try await deferToThread(sum, 3, 4).value
            let pool = ThreadPool(limit: 1)
            let elsewhere = try await reactor.deferToThreadPool(pool, sum, 3, 4).value
            #expect([method, function, elsewhere] == [7, 7, 7])
            #expect(pool.threadCount == 1)
        }
    }

    @Test func callbacksRunOnTheReactorsThread() async throws {  // S40
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 1)  // nobody's
            var places: [Bool] = []
            let done = reactor.deferToThreadPool(pool) { !reactor.isOnReactorThread }
                .addCallback { wasElsewhere in places = [wasElsewhere, reactor.isOnReactorThread] }
            try await done.value
            #expect(places == [true, true])
        }
    }

    @Test func failureAfterSuccessReachesTheNextErrback() async throws {  // S40
        try await withReactor { reactor in
            let error = await #expect(throws: Spam.self) {
                try await reactor.deferToThread { 1 }.addCallback { _ in throw Spam() }.value
            }
            #expect(error == Spam())
            await #expect(throws: Spam.self) { try await reactor.deferToThread { throw Spam() }.value }
            let healed = try await reactor.deferToThread { () throws -> Int in throw Spam() }
                .addErrback { _ in 5 }.value
            #expect(healed == 5)
        }
    }

    @Test func cancelDropsWhatIsQueuedAndForgetsWhatRuns() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 1)
            let gate = ThreadGate()
            let ran = SharedFlag()
            let running = reactor.deferToThreadPool(pool) { gate.wait() }
            while pool.statistics.working == 0 { await reactor.yield() }
            let queued = reactor.deferToThreadPool(pool) { ran.set() }
            queued.cancel()
            running.cancel()
            for deferred in [queued, running] {
                let error = await #expect(throws: DeferredError.self) { try await deferred.value }
                #expect(error?.code == .cancelled)
            }
            #expect(pool.queuedCount == 0 && pool.statistics.working == 1)
            gate.open()
            try await pool.stopAndWait()
            #expect(!ran.isSet)
        }
    }

    @Test func stoppedPoolMakesTheDeferredFail() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 1)
            pool.stop()
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.deferToThreadPool(pool) { 1 }.value
            }
            #expect(error?.code == .threadPoolStopped)
        }
    }
}

@Suite(.everyBackend) struct CallInThreadTests {
    @Test func manyCallsKeepTheirOrderInOneThread() async throws {  // S41
        try await withReactor { reactor in
            let log = Log()
            let gate = ThreadGate()
            var works: [@Sendable () throws -> Void] = []
            for number in 0..<10 { works.append { log.add(number) } }
            works.append { gate.open() }
            try reactor.callMultipleInThread(works)
            try await reactor.threadPool.run { gate.wait() }
            #expect(log.numbers == Array(0..<10))
            #expect(Set(log.threads).count == 1)
        }
    }

    @Test func firstErrorEndsTheSeriesAndIsReportedWithItsSite() async throws {  // S36
        try await withReactor { reactor in
            let reports = Reports()
            reactor.onUncaughtError = { error, context in reports.lines.append("\(context): \(error)") }
            let ran = SharedCounter()
            let line = #line + 1
            try reactor.callMultipleInThread([{ ran.add() }, { throw Spam() }, { ran.add() }])
            while reports.lines.isEmpty { try await reactor.sleep(for: .milliseconds(1)) }
            #expect(
                reports.lines == [
                    "a call in a worker thread, made at ReactorCoreTests/ReactorThreadsTests.swift:\(line): Spam()"
                ])
            #expect(ran.value == 1)
        }
    }

    @Test func workerSurvivesTheErrorOfItsWork() async throws {
        try await withReactor { reactor in
            try reactor.suggestThreadPoolSize(1)
            let reports = Reports()
            reactor.onUncaughtError = { error, _ in reports.lines.append("\(error)") }
            for _ in 0..<3 { try reactor.callInThread { throw Spam() } }
            try await reactor.threadPool.run {}
            while reports.lines.count < 3 { await reactor.yield() }
            #expect(reactor.threadPool.threadCount == 1)
        }
    }
}

@Suite(.everyBackend) struct ReactorThreadPoolTests {
    @Test func poolGrowsOnDemandToTen() async throws {
        try await withReactor { reactor in
            #expect(reactor.threadPool.threadCount == 0)
            let gate = ThreadGate()
            for _ in 0..<12 { try reactor.callInThread { gate.wait() } }
            while reactor.threadPool.statistics.working < 10 { await reactor.yield() }
            #expect(reactor.threadPool.threadCount == 10 && reactor.threadPool.queuedCount == 2)
            gate.open()
        }
    }

    @Test(arguments: [0, -1]) func sizeThatIsNotPositiveIsRefused(_ size: Int) throws {
        let reactor = Reactor()
        let error = #expect(throws: ReactorError.self) { try reactor.suggestThreadPoolSize(size) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("suggestThreadPoolSize(\(size))") == true)
        #expect(reactor.threadPool.limit == 10)
    }

    @Test func suggestedSizeOutlivesTheRun() throws {
        let reactor = Reactor()
        try reactor.suggestThreadPoolSize(3)
        #expect(reactor.threadPool.limit == 3)
        try reactor.run(until: { try reactor.suggestThreadPoolSize(4) })
        #expect(reactor.threadPool.limit == 4)
    }

    @Test func workQueuedBeforeRunWaitsForIt() throws {  // S42
        let reactor = Reactor()
        let ran = SharedCounter()
        for _ in 0..<3 { try reactor.callInThread { ran.add() } }
        #expect(ran.value == 0 && reactor.threadPool.threadCount == 0)
        #expect(reactor.threadPool.queuedCount == 3)
        try reactor.run(until: {
            while ran.value < 3 { try await reactor.sleep(for: .milliseconds(1)) }
        })
    }

    @Test func poolStopsWithTheReactorIsFreedAndTheNextRunHasAnother() async throws {  // S42
        let reactor = Reactor()
        let last = WeakPool()
        for round in 1...3 {
            try await onOwnThread {
                try reactor.run(until: {
                    #expect(last.pool == nil)
                    last.pool = reactor.threadPool
                    let value = try await reactor.threadPool.run { round }
                    #expect(value == round)
                })
            }
            for _ in 0..<4000 where last.pool != nil { try await Task.sleep(for: .milliseconds(5)) }
            #expect(last.pool == nil)
        }
    }

    @Test func resultOfWorkThatOutlivesTheRunArrivesInTheNext() async throws {
        let reactor = Reactor()
        let gate = ThreadGate()
        let got = SharedFlag()
        try await onOwnThread {
            try reactor.run(until: {
                reactor.deferToThread { gate.wait() }.addCallback { got.set() }
                while reactor.threadPool.statistics.working == 0 { await reactor.yield() }
            })
        }
        gate.open()
        #expect(!got.isSet)
        try await onOwnThread {
            try reactor.run(until: { while !got.isSet { try await reactor.sleep(for: .milliseconds(1)) } })
        }
    }
}

@ReactorActor private final class Reports { var lines: [String] = [] }

private final class WeakPool: @unchecked Sendable {  // each run ends before the next begins
    weak var pool: ThreadPool?
}

/// Numbers and the threads they came from.
private final class Log: @unchecked Sendable {  // written by one worker, read after the gate
    private(set) var numbers: [Int] = []
    private(set) var threads: [pthread_t] = []

    func add(_ number: Int) {
        numbers.append(number)
        threads.append(pthread_self())
    }
}
