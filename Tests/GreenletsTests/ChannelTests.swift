import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct ChannelTests {
    @Test func senderGoesOnOnlyAfterSomebodyReceived() async throws {  // S57
        try await withReactor { _ in
            let channel = Channel<String>()
            let log = Log()
            let sender = Greenlet.spawn { () async throws in
                for word in ["hello", "world"] {
                    log.lines.append("sending \(word)")
                    try await channel.send(word)
                    log.lines.append("sent \(word)")
                }
            }
            await Greenlet.yield()
            #expect(log.lines == ["sending hello"])
            log.lines.append(try await channel.receive())
            await Greenlet.yield()
            log.lines.append(try await channel.receive())
            try await sender.join()
            #expect(
                log.lines == ["sending hello", "hello", "sent hello", "sending world", "world", "sent world"])
        }
    }

    @Test func receiversAndSendersAreServedFirstComeFirstServed() async throws {
        try await withReactor { _ in
            let channel = Channel<Int>()
            let receivers = (0..<3).map { _ in
                Greenlet.spawn { () async throws in try await channel.receive() }
            }
            await Greenlet.yield()
            #expect(channel.receiverCount == 3)
            for number in 0..<3 { try await channel.send(number) }
            for (index, receiver) in receivers.enumerated() { #expect(try await receiver.get() == index) }
            let senders = (0..<3).map { number in
                Greenlet.spawn { () async throws in try await channel.send(number) }
            }
            await Greenlet.yield()
            #expect(channel.senderCount == 3)
            for number in 0..<3 { #expect(try await channel.receive() == number) }
            for sender in senders { try await sender.get() }
        }
    }

    @Test func cancelledReceiverTakesNoElement() async throws {
        try await withReactor { _ in
            let channel = Channel<Int>()
            let dying = Greenlet.spawn { () async throws in try await channel.receive() }
            let living = Greenlet.spawn { () async throws in try await channel.receive() }
            await Greenlet.yield()
            dying.cancel()
            // Its task has not run yet: it is still in the line.
            try await channel.send(7)
            #expect(try await living.get() == 7)
            try await dying.join()
            #expect(channel.receiverCount == 0)
        }
    }

    @Test func elementOfACancelledSenderIsReceivedByNobody() async throws {
        try await withReactor { _ in
            let channel = Channel<Int>()
            let dying = Greenlet.spawn { () async throws in try await channel.send(1) }
            let living = Greenlet.spawn { () async throws in try await channel.send(2) }
            await Greenlet.yield()
            dying.cancel()
            #expect(try await channel.receive() == 2)
            try await dying.join()
            try await living.get()
            #expect(channel.tryReceive() == nil)
        }
    }

    /// The other way round the element would be lost: the sender believes it arrived.
    @Test func cancellationAfterTheHandOverComesTooLate() async throws {
        try await withReactor { _ in
            let channel = Channel<Int>()
            let receiver = Greenlet.spawn { () async throws in try await channel.receive() }
            await Greenlet.yield()
            let wasTaken = try channel.trySend(5)
            #expect(wasTaken)
            receiver.cancel()
            #expect(try await receiver.get() == 5)
        }
    }

    @Test func closingEndsWaitsAndIterations() async throws {
        try await withReactor { _ in
            let channel = Channel<Int>()
            let iteration = Greenlet.spawn { () async throws in
                var sum = 0
                for try await number in channel { sum += number }
                return sum
            }
            for number in 1...4 { try await channel.send(number) }
            let late = Channel<Int>()
            let sender = Greenlet.spawn { () async throws -> GreenletError? in
                do { try await late.send(1) } catch let error as GreenletError { return error }
                return nil
            }
            await Greenlet.yield()
            channel.close()
            late.close()
            #expect(try await iteration.get() == 10)
            #expect(try await sender.get()?.code == .closed)
            await #expect(throws: GreenletError.self) { try await channel.send(1) }
            #expect(throws: GreenletError.self) { try channel.trySend(1) }
        }
    }

    @Test func synchronousGreenletsMeetToo() async throws {
        try await withReactor { _ in
            let there = Channel<Int>()
            let back = Channel<Int>()
            let echo = Greenlet.spawn { () throws -> Void in
                for _ in 0..<100 { try back.send(try there.receive() * 2) }
            }
            let sum = Greenlet.spawn { () throws -> Int in
                var sum = 0
                for number in 0..<100 {
                    try there.send(number)
                    sum += try back.receive()
                }
                return sum
            }
            #expect(try await sum.get() == 9900)
            try await echo.get()
        }
    }

    @Test func timedOutSendersAndReceiversLeaveTheirLines() async throws {
        try await withReactor(clock: ManualClock(isAutomatic: true)) { _ in
            let channel = Channel<Int>()
            let isTaken = try await channel.send(1, timeout: .seconds(1))
            let nothing = try await channel.receive(timeout: .seconds(1))
            let inFiber = try await Greenlet.spawn { () throws -> Bool in
                try channel.send(1, timeout: .seconds(1)) || channel.receive(timeout: .seconds(1)) != nil
            }.get()
            #expect(!isTaken && nothing == nil && !inFiber)
            #expect(channel.senderCount == 0 && channel.receiverCount == 0)
        }
    }

    @Test func synchronousIterationEndsWithTheChannel() async throws {
        try await withReactor { _ in
            let channel = Channel<Int>()
            let sum = Greenlet.spawn { () throws -> Int in
                var sum = 0
                try channel.forEach { sum += $0 }
                return sum
            }
            for number in 1...4 { try await channel.send(number) }
            channel.close()
            let total = try await sum.get()
            #expect(total == 10)
        }
    }

    /// Random senders, receivers and kills: what was sent was received once, or its sender knows that it was not.
    @Test(arguments: [UInt64](0..<8))
    func everyElementArrivesOnceOrItsSenderKnows(seed: UInt64) async throws {
        try await withReactor { reactor in
            var random = SeededGenerator(seed: seed)
            let channel = Channel<Int>()
            let log = Log()
            var greenlets: [Greenlet<Void>] = []
            for number in 0..<400 {
                greenlets.append(
                    Greenlet.spawn { () async throws in
                        do { try await channel.send(number) } catch is GreenletError { return }
                        log.sent.append(number)
                    })
                greenlets.append(
                    Greenlet.spawn { () async throws in
                        do { log.received.append(try await channel.receive()) } catch is GreenletError {}
                    })
                if Int.random(in: 0..<3, using: &random) == 0 {
                    greenlets.randomElement(using: &random)?.cancel()
                }
                for _ in 0..<Int.random(in: 0..<3, using: &random) { await reactor.yield() }
            }
            for _ in 0..<10 { await reactor.yield() }
            channel.close()
            for greenlet in greenlets { try await greenlet.join() }
            #expect(log.sent.sorted() == log.received.sorted(), "seed \(seed)")
            #expect(!log.sent.isEmpty)
        }
    }
}

@ReactorActor private final class Log {
    var lines: [String] = []
    var sent: [Int] = []
    var received: [Int] = []
    nonisolated init() {}
}
