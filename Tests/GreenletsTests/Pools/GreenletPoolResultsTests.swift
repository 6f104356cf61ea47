import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct GreenletPoolResultsTests {
    private struct ZeroDivision: Error, Equatable {}
    private struct Oops: Error, Equatable {}

    private static func inverse(_ number: Int) throws -> Double {
        if number == 0 { throw ZeroDivision() }
        return 1 / Double(number)
    }

    /// What an iterator gives, call after call, to its end.
    @ReactorActor private static func read(_ results: GreenletResults<Double>) async throws -> [Double?] {
        let iterator = results.makeAsyncIterator()
        var all: [Double?] = []
        while true {
            do {
                guard let next = try await iterator.next() else { return all }
                all.append(next)
            } catch is ZeroDivision { all.append(nil) }
        }
    }

    @Test(arguments: [1, 2, 3, 10])
    func mapKeepsTheOrderOfTheInputs(limit: Int) async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let pool = GreenletPool(limit: limit)
            let numbers = try await pool.map(0..<20) { number in
                try await Greenlet.sleep(for: .milliseconds(20 - number))
                #expect(pool.count <= limit)
                return number * number
            }
            let inFiber = try await Greenlet.spawn { () throws -> [Int] in
                try pool.map(0..<20) { number in
                    try Greenlet.sleep(for: .milliseconds(20 - number))
                    return number * number
                }
            }.get()
            #expect(numbers == (0..<20).map { $0 * $0 } && inFiber == numbers)
        }
    }

    @Test(arguments: [1, 2, 10])
    func mapThrowsAndSequencesGoOn(limit: Int) async throws {  // S56: 1.0, ZeroDivision, 0.5, end
        try await withReactor { _ in
            let pool = GreenletPool(limit: limit)
            await #expect(throws: ZeroDivision()) { try await pool.map([1, 0, 2]) { try Self.inverse($0) } }
            let ordered = try await Self.read(
                pool.results(of: [1, 0, 2]) { number async throws -> Double in try Self.inverse(number) })
            let unordered = try await Self.read(
                pool.unorderedResults(of: [1, 0, 2]) { try Self.inverse($0) })
            #expect(ordered == [1.0, nil, 0.5] && unordered == [1.0, nil, 0.5])
        }
    }

    @Test func mapLaterReturnsAtOnce() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 2)
            let async = pool.mapLater(0..<5) { number async throws -> Int in
                await Greenlet.yield()
                return number
            }
            let sync = pool.mapLater(0..<5) { number throws -> Int in
                try Greenlet.yield()
                return number
            }
            #expect(pool.count == 0)
            let numbers = try await async.get() + sync.get()
            #expect(numbers == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4] && pool.availableCount == 2)
        }
    }

    @Test func errorOfMapKillsTheOthers() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 3)
            let log = IntLog()
            await #expect(throws: Oops()) {
                try await pool.map(0...) { number -> Int in
                    log.numbers.append(number)
                    if number == 2 { throw Oops() }
                    try await Greenlet.sleep(for: .seconds(60))
                    return number
                }
            }
            try await pool.join()
            #expect(log.numbers == [0, 1, 2] && pool.availableCount == 3)
        }
    }

    @Test func cancelledMapLeavesNothing() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 3)
            for turns in 0..<12 {
                let isAsync = turns % 2 == 0
                let caller =
                    isAsync
                    ? Greenlet.spawn { () async throws -> [Void] in
                        try await pool.map(0..<9) { _ in try await Greenlet.sleep(for: .seconds(60)) }
                    }
                    : Greenlet.spawn { () throws -> [Void] in
                        try pool.map(0..<9) { _ in try Greenlet.sleep(for: .seconds(60)) }
                    }
                for _ in 0..<turns { await Greenlet.yield() }
                try await caller.kill()
                try await pool.join()
                while pool.availableCount < 3 || pool.waiterCount > 0 { await Greenlet.yield() }
            }
        }
    }

    /// S56
    @Test func errorOfTheInputsComesAfterTheResults() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 2)
            for isOrdered in [true, false] {
                let (inputs, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
                for number in 0..<3 { continuation.yield(number) }
                continuation.finish(throwing: Oops())
                let results =
                    isOrdered
                    ? pool.results(of: inputs) { $0 * 2 } : pool.unorderedResults(of: inputs) { $0 * 2 }
                let log = IntLog()
                await #expect(throws: Oops()) {
                    for try await number in results { log.numbers.append(number) }
                }
                #expect(log.numbers == [0, 2, 4] && pool.availableCount == 2)
            }
        }
    }

    /// S56: started ≤ consumed + 2, queued ≤ 2.
    @Test(arguments: [1, 2, 3, 10], [true, false])
    func boundedBufferHoldsWorkBack(limit: Int, isOrdered: Bool) async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: limit)
            let log = IntLog()
            let body: @ReactorActor (Int) throws -> Int = { number in
                log.numbers.append(number)
                return number
            }
            let results =
                isOrdered
                ? pool.results(of: 0..<10, maxBuffered: 1, body)
                : pool.unorderedResults(of: 0..<10, maxBuffered: 1, body)
            var consumed: [Int] = []
            for try await number in results {
                #expect(log.numbers.count <= consumed.count + 2)
                consumed.append(number)
                for _ in 0..<10 { await Greenlet.yield() }
                #expect(log.numbers.count <= consumed.count + 2)
            }
            #expect(consumed == Array(0..<10))
        }
    }

    @Test func orderedResultsWaitForTheirTurn() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let pool = GreenletPool(limit: 10)
            let body: @ReactorActor (Int) async throws -> Int = { number in
                try await Greenlet.sleep(for: .seconds(10 - number))
                return number
            }
            var ordered: [Int] = []
            for try await number in pool.results(of: 0..<10, body) { ordered.append(number) }
            var unordered: [Int] = []
            for try await number in pool.unorderedResults(of: 0..<10, body) { unordered.append(number) }
            #expect(ordered == Array(0..<10) && unordered == (0..<10).reversed())
        }
    }

    @Test func inputsAreTakenOnlyAsSlotsComeFree() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 2)
            let taken = IntLog()
            let inputs = sequence(first: 0) { $0 + 1 }.lazy.map { number -> Int in
                ReactorActor.assumeIsolated { taken.numbers.append(number) }
                return number
            }
            var sum = 0
            for try await number in pool.results(of: inputs, maxBuffered: 4, { $0 }) {
                sum += number
                #expect(taken.numbers.count <= number + 6)
                if number == 20 { break }
            }
            #expect(sum == 210)
            try await pool.join()
        }
    }

    @Test func droppedIteratorStopsTheWork() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 3)
            @ReactorActor func readOne() async throws {
                let iterator = pool.unorderedResults(of: 0...) { number in
                    if number > 0 { try await Greenlet.sleep(for: .seconds(60)) }
                    return number
                }.makeAsyncIterator()
                let first = try await iterator.next()
                #expect(first == 0)
            }
            try await readOne()
            try await pool.join()
            while pool.availableCount < 3 { await Greenlet.yield() }
            #expect(pool.waiterCount == 0)
        }
    }

    @Test func slotThatComesWithTheStopStartsNothing() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 1)
            var started: [AnyGreenlet] = []
            var iterator: GreenletResults<Int>.Iterator? = pool.results(of: 0...) { number async throws in
                started.append(AnyGreenlet.current!)  // a greenlet runs this
                if number > 0 { try await Greenlet.sleep(for: .seconds(60)) }
                return number
            }.makeAsyncIterator()
            let first = try await iterator?.next()
            #expect(first == 0)
            while pool.waiterCount == 0 || started.count < 2 { await Greenlet.yield() }
            // The producer has the slot, and stop() comes before it goes on.
            #expect(pool.discard(started[1]))
            iterator = nil
            for greenlet in started { try await greenlet.join() }
            for _ in 0..<5 { await Greenlet.yield() }
            #expect(started.count == 2)
            #expect(pool.count == 0 && pool.availableCount == 1)
        }
    }

    @Test func nothingStartsBeforeItIsAskedFor() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 3)
            let results = pool.results(of: 0..<3) { $0 }
            let iterator = results.makeAsyncIterator()
            for _ in 0..<5 { await Greenlet.yield() }
            #expect(pool.count == 0)
            let first = try await iterator.next()
            #expect(first == 0)
        }
    }

    @Test func memberOfTheSamePoolLendsItsSlot() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 1)
            let sum = try await pool.apply { () async throws -> Int in
                let squares = try await pool.map(0..<5) { number -> Int in
                    await Greenlet.yield()
                    return number * number
                }
                var sum = squares.reduce(0, +)
                for try await number in pool.results(of: 0..<5, { $0 }) { sum += number }
                return sum
            }
            #expect(sum == 40)
        }
    }

    @Test func synchronousCodeReadsResultsToo() async throws {
        try await withReactor { _ in
            let pool = GreenletPool(limit: 2)
            let sum = try await Greenlet.spawn { () throws -> Int in
                var sum = 0
                try pool.results(of: 1...10) { number throws -> Int in
                    try Greenlet.yield()
                    return number
                }.forEach { sum += $0 }
                return sum
            }.get()
            #expect(sum == 55)
        }
    }
}
