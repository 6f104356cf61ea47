import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

/// Numbers that mean another file all the time.
@Suite(.everyBackend) struct DescriptorStormTests {
    /// Numbers are closed and given out again as fast as the kernel can: each waiter hears of its own file
    /// only.
    @Test func stormOfReusedNumbersNeverMixesUpTheirOwners() async throws {
        try await withReactor { reactor in
            for round in 0..<500 {
                let pair = SocketPair()
                let other = SocketPair()
                let waiter = reactor.startTask { () -> ReactorError.Code? in
                    do { try await reactor.waitUntilReadable(pair.a) } catch {
                        return (error as? ReactorError)?.code
                    }
                    return nil
                }
                if round % 3 == 0 { await reactor.yield() }
                while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
                if round % 2 == 0 { pair.send() }  // its event may be on its way already
                reactor.descriptorWillClose(pair.a)
                #expect(dup2(other.a, pair.a) == pair.a)
                let next = reactor.startTask { try? await reactor.waitUntilReadable(pair.a) }
                let code = await waiter.value
                #expect(code == .descriptorClosed)
                for _ in 0..<3 { await reactor.yield() }
                #expect(reactor.watchedDescriptors == [pair.a])
                other.send()
                await next.value
                reactor.descriptorWillClose(pair.a)
            }
        }
    }

    /// A few numbers are opened, duplicated over each other, closed, waited for and written to at random.
    /// Whoever waits is woken by bytes of the file its number meant, or told that it was closed; nobody is
    /// left behind.
    @Test(arguments: 0..<4)
    func randomLivesOfReusedNumbersNeverMixUpTheirOwners(_ round: Int) async throws {  // S66b
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor { reactor in
            let storm = Storm(reactor, seed: seed)
            for _ in 0..<3_000 { await storm.step() }
            await storm.end()
            #expect(storm.mistakes == [], "seed \(seed)")
            #expect(storm.servedCount > 50 && storm.closedCount > 50, "seed \(seed)")
        }
    }
}

/// Four numbers whose files change all the time, and a waiter for each now and then.
@ReactorActor private final class Storm {
    /// What a number means now.
    private final class Slot {
        let number: Int32
        var pair = SocketPair()
        /// Whether its file has bytes.
        var isReadable = false
        /// The number of the wait that is on.
        var wait: Int?
        init() { number = dup(pair.a) }
    }

    private(set) var mistakes: [String] = []
    private(set) var servedCount = 0
    private(set) var closedCount = 0
    private var slots: [Slot]
    private var ends: [Int: String] = [:]
    private var tasks: [Int: Task<Void, Never>] = [:]
    private var lastWait = 0
    /// Waits whose number got another file: they may end with an error.
    private var mayHaveClosed: Set<Int> = []
    /// Files that were under some number; kept open, so that the kernel goes on reporting them.
    private var old: [SocketPair] = []
    private var generator: SeededGenerator
    private let reactor: Reactor

    init(_ reactor: Reactor, seed: UInt64) {
        self.reactor = reactor
        generator = SeededGenerator(seed: seed)
        slots = (0..<4).map { _ in Slot() }
    }

    func step() async {
        let slot = slots.randomElement(using: &generator)!
        switch Int.random(in: 0..<8, using: &generator) {
        case 0, 1: startWait(slot)
        case 2:
            slot.pair.send()
            slot.isReadable = true
        case 3:
            slot.pair.drain()
            slot.isReadable = false
        case 4: reopen(slot)
        case 5: old.randomElement(using: &generator)?.send()
        case 6:
            // Bytes of an earlier file, whose event may be in the same batch as the change.
            let last = slot.pair
            reopen(slot)
            last.send()
        default: await turns(UInt64.random(in: 0..<3, using: &generator))
        }
        settle()
    }

    private func startWait(_ slot: Slot) {
        guard slot.wait == nil else { return }
        lastWait += 1
        let wait = lastWait
        slot.wait = wait
        tasks[wait] = reactor.startTask { [self] in
            do {
                try await reactor.waitUntilReadable(slot.number)
                ends[wait] = "ready"
            } catch { ends[wait] = (error as? ReactorError)?.code.description ?? "\(error)" }
        }
    }

    /// Gives the number another file, as an owner that says so does.
    private func reopen(_ slot: Slot) {
        reactor.descriptorWillClose(slot.number)
        let fresh = SocketPair()
        dup2(fresh.a, slot.number)
        old.append(slot.pair)
        if old.count > 20 { old.removeFirst() }
        slot.pair = fresh
        slot.isReadable = false
        if let wait = slot.wait { mayHaveClosed.insert(wait) }
    }

    /// Lets the loop find out, and compares.
    private func settle() {
        for slot in slots {
            guard let wait = slot.wait, let end = ends[wait] else { continue }
            slot.wait = nil
            switch end {
            case "ready": servedCount += 1
            case "descriptorClosed":
                closedCount += 1
                if !mayHaveClosed.contains(wait) { mistakes.append("wait \(wait) ended, and nobody closed") }
            default: mistakes.append("wait \(wait): \(end)")
            }
        }
    }

    /// Lets the loop ask the kernel; a yield alone goes round without that.
    private func turns(_ count: UInt64) async {
        let last = reactor.turnCount + count
        while reactor.turnCount <= last { try? await reactor.sleep(for: .nanoseconds(1)) }
    }

    /// After some turns, exactly those with bytes have been served.
    func end() async {
        for slot in slots {
            await turns(3)
            settle()
            if slot.wait != nil, slot.isReadable { mistakes.append("bytes for \(slot.number) woke nobody") }
            slot.pair.drain()
            for old in old { old.send() }
            startWait(slot)
            await turns(3)
            if let wait = slot.wait, ends[wait] == "ready" {
                mistakes.append("\(slot.number) was woken by another's")
            }
            slot.pair.send()
            if let wait = slot.wait { await tasks[wait]?.value }
            settle()
            reactor.descriptorWillClose(slot.number)
            close(slot.number)
        }
        for task in tasks.values { await task.value }
    }
}
