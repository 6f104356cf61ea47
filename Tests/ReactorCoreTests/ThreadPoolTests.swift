import CLinux
import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct ThreadPoolTests {
    @Test func workRunsElsewhereAndItsValueComesHome() async throws {
        try await withReactor { reactor in
            let wasHome = try await reactor.threadPool.run { reactor.isOnReactorThread }
            #expect(!wasHome && reactor.isOnReactorThread)
        }
    }

    @Test func errorOfTheWorkIsThrown() async throws {
        struct Spam: Error {}
        try await withReactor { reactor in
            await #expect(throws: Spam.self) { try await reactor.threadPool.run { throw Spam() } }
        }
    }

    @Test func poolStartsEmptyGrowsToItsLimitAndShrinks() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 3, idleTimeout: .milliseconds(20))
            #expect(pool.threadCount == 0)
            let gate = ThreadGate()
            let tasks = (0..<6).map { _ in Task { @ReactorActor in try await pool.run { gate.wait() } } }
            while pool.threadCount < 3 || pool.queuedCount < 3 { await reactor.yield() }
            #expect(pool.threadCount == 3)
            gate.open()
            for task in tasks { try await task.value }
            while pool.threadCount > 0 { try await reactor.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func workCancelledInTheQueueNeverRuns() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 1)
            let gate = ThreadGate()
            let first = Task { @ReactorActor in try await pool.run { gate.wait() } }
            while pool.threadCount == 0 { await reactor.yield() }
            let ran = SharedFlag()
            let second = Task { @ReactorActor in try await pool.run { ran.set() } }
            while pool.queuedCount == 0 { await reactor.yield() }
            second.cancel()
            await #expect(throws: CancellationError.self) { try await second.value }
            gate.open()
            try await first.value
            try await pool.run {}
            #expect(!ran.isSet)
        }
    }

    @Test func stoppedPoolRefusesWork() async throws {
        try await withReactor { _ in
            let pool = ThreadPool(limit: 1)
            pool.stop()
            let error = await #expect(throws: ReactorError.self) { try await pool.run {} }
            #expect(error?.code == .threadPoolStopped)
        }
    }

    @Test func stopAndWaitReturnsWhenQueuedAndRunningWorkIsDone() async throws {  // S42
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 1)
            let gate = ThreadGate()
            let ran = SharedCounter()
            for _ in 0..<3 {
                try pool.submit {
                    gate.wait()
                    ran.add()
                }
            }
            let joined = SharedFlag()
            let task = Task { @ReactorActor in
                try await pool.stopAndWait()
                joined.set()
            }
            while !pool.statistics.isStopped { await reactor.yield() }
            #expect(throws: ReactorError.self) { try pool.submit {} }
            #expect(!joined.isSet)
            gate.open()
            try await task.value
            #expect(ran.value == 3)
            #expect(
                pool.statistics.description
                    == "0 of 1 threads, 0 working, 0 queued, 3 completed, 0 cancelled, stopped")
            try await pool.stopAndWait()  // again, at once
        }
    }

    @Test func cancelledStopAndWaitEndsTheWaitOnly() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 1)
            let gate = ThreadGate()
            try pool.submit { gate.wait() }
            let task = Task { @ReactorActor in try await pool.stopAndWait() }
            while !pool.statistics.isStopped { await reactor.yield() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(pool.threadCount == 1)
            gate.open()
            try await pool.stopAndWait()
            #expect(pool.threadCount == 0)
        }
    }

    @Test func statisticsCountEveryState() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 2)
            let gate = ThreadGate()
            for _ in 0..<2 { try pool.submit { gate.wait() } }
            let queued = Task { @ReactorActor in try await pool.run { gate.wait() } }
            let dropped = Task { @ReactorActor in try await pool.run { gate.wait() } }
            while pool.statistics.working < 2 || pool.statistics.queued < 2 { await reactor.yield() }
            dropped.cancel()
            _ = await dropped.result
            #expect(
                pool.statistics.description == "2 of 2 threads, 2 working, 1 queued, 0 completed, 1 cancelled"
            )
            gate.open()
            try await queued.value
            while pool.statistics.idle < 2 { await reactor.yield() }
            #expect(pool.statistics.completed == 3 && pool.statistics.working == 0)
        }
    }

    @Test func loweredLimitLetsRunningWorkFinishAndRaisedOneServesTheQueue() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 3)
            let gate = ThreadGate()
            for _ in 0..<6 { try pool.submit { gate.wait() } }
            while pool.statistics.working < 3 { await reactor.yield() }
            try pool.adjust(limit: 1)
            #expect(pool.threadCount == 3)
            try pool.adjust(limit: 5)
            while pool.statistics.working < 5 { await reactor.yield() }
            try pool.adjust(limit: 1)
            gate.open()
            while pool.statistics.completed < 6 || pool.threadCount > 1 { await reactor.yield() }
            #expect(pool.limit == 1)
        }
    }

    @Test(arguments: [0, -3]) func limitThatIsNotPositiveIsRefused(_ limit: Int) throws {
        let pool = ThreadPool(limit: 2)
        let error = #expect(throws: ReactorError.self) { try pool.adjust(limit: limit) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("\(limit)") == true)
        #expect(pool.limit == 2)
    }

    @Test func cancelledWorkIsReleasedWhileTheQueueStands() async throws {
        try await withReactor { reactor in
            let pool = ThreadPool(limit: 1)
            let gate = ThreadGate()
            try pool.submit { gate.wait() }
            let owned = WeakSharedFlag()
            let task = Task { @ReactorActor [flag = owned.make()] in try await pool.run { flag.set() } }
            while pool.queuedCount == 0 { await reactor.yield() }
            task.cancel()
            _ = await task.result
            for _ in 0..<4000 where owned.flag != nil { try await reactor.sleep(for: .milliseconds(5)) }
            #expect(owned.flag == nil)
            gate.open()
        }
    }

    /// Submitters, cancellers and a resizer at once, and a stop in the middle: what was accepted ends exactly once.
    @Test func everyPieceOfWorkEndsOnceWhateverRacesWithIt() async throws {  // S42
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor { reactor in
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<20 {
                let pool = ThreadPool(limit: 3, idleTimeout: .microseconds(200))
                let ended = SharedCounter()
                let dropped = SharedCounter()
                let submitters = ThreadPool(limit: 4)
                for _ in 0..<4 {
                    let seed = generator.next()
                    try submitters.submit {
                        var generator = SeededGenerator(seed: seed)
                        for _ in 0..<200 {
                            let pause = UInt32.random(in: 0..<20, using: &generator)
                            guard
                                let ticket = try? pool.enqueue({
                                    if pause == 7 { usleep(pause) }; ended.add()
                                })
                            else {
                                dropped.add()
                                continue
                            }
                            if pause < 10, ticket.cancel() { dropped.add() }
                            if pause == 19 {
                                try? pool.adjust(limit: Int.random(in: 1...5, using: &generator))
                            }
                        }
                    }
                }
                let share = Int.random(in: 0..<800, using: &generator)
                while ended.value + dropped.value < share { await reactor.yield() }
                pool.stop()
                try await submitters.stopAndWait()
                try await pool.stopAndWait()
                #expect(ended.value + dropped.value == 800, "seed \(seed)")
                #expect(pool.statistics.completed == ended.value, "seed \(seed)")
            }
        }
    }
}
