import Greenlets
import ReactorCore
import ReactorTesting
import Testing

/// What every kind of queue must do.
protocol QueueContracting: Sendable {
    func givesElementsInItsOrder() async throws
    func putParksWhileThereIsNoRoom() async throws
    func getParksUntilThereIsAnElement() async throws
    func triesNeverWait() async throws
    func timeoutsTakeAndLeaveNothing() async throws
    func waiterThatDiedTakesNothing() async throws
    func killAfterTheHandOverComesTooLate() async throws
    func peekersTakeNothing() async throws
    func joinWaitsForAllTasks() async throws
    func closingDrains() async throws
    func closingDiscards() async throws
    func iterationsEndWithTheQueue() async throws
    func threadsPutInOrder() async throws
    func manyWaiters(_ count: Int) async throws
    func copiesGoTheirOwnWay() async throws
}

struct QueueContract<Storage: QueueStorage>: QueueContracting where Storage.Element == Int {
    typealias Tested = WaitingQueue<Storage>
    /// The order in which 1, 2, 3 come out when all are in.
    let order: [Int]

    func givesElementsInItsOrder() async throws {
        try await withReactor { [order] _ in
            let queue = Tested()
            for number in [1, 2, 3] { try await queue.put(number) }
            #expect(queue.count == 3 && queue.tryPeek() == order[0] && !queue.isFull)
            for number in order { #expect(queue.tryGet() == number) }
            #expect(queue.isEmpty && queue.tryGet() == nil && queue.tryPeek() == nil)
        }
    }

    func putParksWhileThereIsNoRoom() async throws {
        try await withReactor { _ in
            let queue = Tested(capacity: 2)
            try await queue.put(1)
            try await queue.put(2)
            let putters = [
                Greenlet.spawn { () async throws -> Void in try await queue.put(3) },
                Greenlet.spawn { () throws -> Void in try queue.put(4) },
            ]
            await Greenlet.yield()
            await Greenlet.yield()
            #expect(queue.isFull && queue.putterCount == 2 && queue.count == 2)
            _ = queue.tryGet()
            // First come, first served: room went to the first.
            #expect(queue.putterCount == 1 && queue.count == 2)
            _ = queue.tryGet()
            for putter in putters { try await putter.get() }
            #expect(queue.putterCount == 0 && queue.count == 2 && queue.unfinishedCount == 4)
        }
    }

    func getParksUntilThereIsAnElement() async throws {
        try await withReactor { _ in
            let queue = Tested()
            let getters = (0..<10).map { number in
                number % 2 == 0
                    ? Greenlet.spawn { () async throws -> Int in try await queue.get() }
                    : Greenlet.spawn { () throws -> Int in try queue.get() }
            }
            while queue.getterCount < 10 { await Greenlet.yield() }
            for number in 0..<10 { try await queue.put(number) }
            #expect(queue.isEmpty && queue.getterCount == 0)
            for (number, getter) in getters.enumerated() { #expect(try await getter.get() == number) }
        }
    }

    func triesNeverWait() async throws {
        try await withReactor { _ in
            let queue = Tested(capacity: 1)
            #expect(queue.tryGet() == nil)
            let isIn = try queue.tryPut(1)
            let isSecondIn = try queue.tryPut(2)
            #expect(isIn && !isSecondIn)
            #expect(queue.tryGet() == 1 && queue.tryGet() == nil)
        }
    }

    func timeoutsTakeAndLeaveNothing() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let queue = Tested(capacity: 1)
            let nothing = try await queue.get(timeout: .seconds(1))
            let alsoNothing = try await Greenlet.spawn { () throws -> Int? in
                try queue.get(timeout: .seconds(1))
            }.get()
            let nothingToSee = try await queue.peek(timeout: .seconds(1))
            #expect(nothing == nil && alsoNothing == nil && nothingToSee == nil && queue.getterCount == 0)
            let isIn = try await queue.put(1, timeout: .seconds(1))
            let isSecondIn = try await queue.put(2, timeout: .seconds(1))
            let isThirdIn = try await Greenlet.spawn { () throws -> Bool in
                try queue.put(3, timeout: .seconds(1))
            }.get()
            #expect(isIn && !isSecondIn && !isThirdIn && queue.putterCount == 0)
            #expect(queue.tryGet() == 1 && queue.isEmpty)
        }
    }

    func waiterThatDiedTakesNothing() async throws {  // S57
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let queue = Tested(capacity: 1)
            let timed = Greenlet.spawn { () async throws -> Int? in try await queue.get(timeout: .seconds(1))
            }
            let killed = Greenlet.spawn { () throws -> Int in try queue.get() }
            let living = Greenlet.spawn { () async throws -> Int in try await queue.get() }
            while queue.getterCount < 3 { await Greenlet.yield() }
            let nothing = try await timed.get()
            killed.cancel()
            try await queue.put(5)
            let number = try await living.get()
            #expect(nothing == nil && number == 5 && queue.getterCount == 0)
            try await queue.put(6)
            let putter = Greenlet.spawn { () async throws -> Void in try await queue.put(7) }
            await Greenlet.yield()
            putter.cancel()
            #expect(queue.tryGet() == 6 && queue.tryGet() == nil)
            try await putter.join()
            try await killed.join()
        }
    }

    func killAfterTheHandOverComesTooLate() async throws {
        try await withReactor { _ in
            let queue = Tested(capacity: 1)
            let getters = [
                Greenlet.spawn { () async throws -> Int in try await queue.get() },
                Greenlet.spawn { () throws -> Int in try queue.get() },
            ]
            while queue.getterCount < 2 { await Greenlet.yield() }
            try await queue.put(1)
            try await queue.put(2)
            for getter in getters { getter.cancel() }
            #expect(try await getters[0].get() == 1)
            #expect(try await getters[1].get() == 2)
        }
    }

    func peekersTakeNothing() async throws {
        try await withReactor { _ in
            let queue = Tested()
            let getter = Greenlet.spawn { () async throws -> Int in try await queue.get() }
            let peekers = [
                Greenlet.spawn { () async throws -> Int? in try await queue.peek() },
                Greenlet.spawn { () throws -> Int? in try queue.peek() },
            ]
            while queue.getterCount < 3 { await Greenlet.yield() }
            try await queue.put(1)
            #expect(try await getter.get() == 1)
            for peeker in peekers { #expect(try await peeker.get() == 1) }
            try await queue.put(2)
            #expect(try await queue.peek() == 2)
            #expect(queue.count == 1)
        }
    }

    func joinWaitsForAllTasks() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let queue = Tested()
            let isDoneAtOnce = try await queue.join()
            #expect(isDoneAtOnce)
            try await queue.put(1)
            try await queue.put(2)
            let joiners = [
                Greenlet.spawn { () async throws -> Bool in try await queue.join() },
                Greenlet.spawn { () throws -> Bool in try queue.join() },
            ]
            _ = try await queue.get()
            _ = try await queue.get()
            try queue.taskDone()
            let isDone = try await queue.join(timeout: .seconds(1))
            #expect(!isDone && queue.unfinishedCount == 1 && !joiners[0].isReady)
            try queue.taskDone()
            for joiner in joiners { #expect(try await joiner.get()) }
            let error = #expect(throws: GreenletError.self) { try queue.taskDone() }
            #expect(error?.code == .notHeld)
        }
    }

    func copiesGoTheirOwnWay() async throws {
        try await withReactor { [order] _ in
            let queue = Tested(capacity: 4)
            let getter = Greenlet.spawn { () async throws -> Int in try await queue.get() }
            await Greenlet.yield()
            let empty = queue.copy()
            try await empty.put(7)
            #expect(queue.getterCount == 1 && empty.getterCount == 0 && empty.count == 1)
            for number in [0, 1, 2, 3] { try await queue.put(number) }
            #expect(try await getter.get() == 0)
            queue.close()
            let copy = queue.copy()
            #expect(copy.capacity == 4 && copy.count == 3 && copy.unfinishedCount == 3 && !copy.isClosed)
            for number in order { #expect(copy.tryGet() == number) }
            #expect(queue.count == 3 && queue.unfinishedCount == 4)
            try await copy.put(8)
            for number in order { #expect(queue.tryGet() == number) }
        }
    }

    func closingDrains() async throws {
        try await withReactor { _ in
            let queue = Tested(capacity: 1)
            try await queue.put(1)
            let putter = Greenlet.spawn { () async throws -> Void in try await queue.put(2) }
            await Greenlet.yield()
            queue.close()
            let put = await #expect(throws: GreenletError.self) { try await putter.get() }
            let later = await #expect(throws: GreenletError.self) { try await queue.put(3) }
            let tried = #expect(throws: GreenletError.self) { try queue.tryPut(3) }
            #expect(put?.code == .closed && later?.code == .closed && tried?.code == .closed)
            #expect(try await queue.get() == 1)
            let got = await #expect(throws: GreenletError.self) { try await queue.get() }
            #expect(got?.code == .closed && queue.isClosed)
        }
    }

    func closingDiscards() async throws {
        try await withReactor { _ in
            let queue = Tested()
            try await queue.put(1)
            try await queue.put(2)
            let joiner = Greenlet.spawn { () async throws -> Bool in try await queue.join() }
            await Greenlet.yield()
            queue.close(discarding: true)
            #expect(try await joiner.get())
            #expect(queue.isEmpty && queue.tryGet() == nil)
            let empty = Tested()
            let getters = [
                Greenlet.spawn { () async throws -> GreenletError? in
                    do { _ = try await empty.get() } catch let error as GreenletError { return error }
                    return nil
                },
                Greenlet.spawn { () throws -> GreenletError? in
                    do { _ = try empty.get() } catch let error as GreenletError { return error }
                    return nil
                },
            ]
            while empty.getterCount < 2 { await Greenlet.yield() }
            empty.close()
            for getter in getters {
                let error = try await getter.get()
                #expect(error?.code == .closed)
            }
        }
    }

    func iterationsEndWithTheQueue() async throws {
        try await withReactor { _ in
            let queue = Tested(capacity: 3)
            let readers = [
                Greenlet.spawn { () async throws -> Int in
                    var sum = 0
                    for try await number in queue { sum += number }
                    return sum
                },
                Greenlet.spawn { () throws -> Int in
                    var sum = 0
                    try queue.forEach { sum += $0 }
                    return sum
                },
            ]
            for number in 1...100 { try await queue.put(number) }
            queue.close()
            let sums = [try await readers[0].get(), try await readers[1].get()]
            #expect(sums[0] + sums[1] == 5050)
        }
    }

    func threadsPutInOrder() async throws {
        try await withReactor { reactor in
            let queue = Tested(capacity: 2)
            let reader = Greenlet.spawn { () async throws -> [Int] in
                var numbers: [Int] = []
                for _ in 0..<100 { numbers.append(try await queue.get()) }
                return numbers
            }
            try await reactor.threadPool.run { for number in 0..<100 { queue.putFromThread(number) } }
            let numbers = try await reader.get()
            #expect(numbers.sorted() == Array(0..<100))
            if Storage.self is FIFOStorage<Int>.Type { #expect(numbers == Array(0..<100)) }
        }
    }

    func manyWaiters(_ count: Int) async throws {
        try await withReactor { _ in
            let queue = Tested()
            let getters = (0..<count).map { _ in
                Greenlet.spawn { () async throws -> Int in try await queue.get() }
            }
            while queue.getterCount < count { await Greenlet.yield() }
            // Every third goes, from anywhere in the line.
            for index in stride(from: 0, to: count, by: 3) { getters[index].cancel() }
            let living = getters.indices.filter { $0 % 3 != 0 }
            #expect(queue.getterCount == living.count)
            for number in living.indices { try await queue.put(number) }
            for (number, index) in living.enumerated() { #expect(try await getters[index].get() == number) }
            for getter in getters { try await getter.join() }
            #expect(queue.isEmpty && queue.getterCount == 0)
        }
    }
}
