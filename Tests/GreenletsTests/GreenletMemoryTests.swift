import CLinux
import ReactorCore
import ReactorTesting
import Testing

@testable import Greenlets

@ReactorActor private var callCount = 0

@ReactorActor private func captureNothing() async throws -> Int {
    callCount += 1
    await reactor.yield()
    return callCount
}

@ReactorActor private final class Witness {
    let note: @ReactorActor () -> Void
    init(_ note: @escaping @ReactorActor () -> Void) { self.note = note }
    deinit { ReactorActor.assumeIsolated(note) }
}

@Suite struct GreenletMemoryTests {
    @Test func stageTakesTwoWords() {
        #expect(MemoryLayout<GreenletStage>.size == 2 * MemoryLayout<UInt>.size)
    }

    @Test func greenletTakesThirteenWords() async throws {
        try await withReactor { _ in
            let greenlets = (0..<100).map { _ in Greenlet.spawn { () async in } }
            // The least of them: a block that is used again may be larger than was asked for.
            let sizes = greenlets.map { malloc_usable_size(Unmanaged.passUnretained($0).toOpaque()) }
            let size = try #require(sizes.min())
            #expect(size <= 13 * MemoryLayout<UInt>.size)
            for greenlet in greenlets { try await greenlet.get() }
        }
    }

    @Test func bodyThatCapturesNothingRuns() async throws {
        try await withReactor { _ in
            callCount = 0
            let first = Greenlet.spawn { () async throws -> Int in try await captureNothing() }
            let second = Greenlet.spawn(captureNothing)
            let sum = try await first.get() + second.get()
            #expect(sum == 4 && callCount == 2)
        }
    }

    @Test func bodyOfAGreenletKilledBeforeItsBeginIsFreedAtOnce() async throws {
        try await withReactor { _ in
            var isFreed = false
            let greenlet = spawn(holding: Witness { isFreed = true })
            greenlet.cancel()
            #expect(isFreed && greenlet.isReady)
        }
    }

    @ReactorActor private func spawn(holding witness: Witness) -> Greenlet<Void> {
        Greenlet.spawn { () async in withExtendedLifetime(witness) {} }
    }

    @Test func namedGreenletKnowsItsNameAndItsSite() async throws {
        try await withReactor { _ in
            let named = Greenlet.spawn(name: "reader") { () async in }
            let other = Greenlet.spawn { () async in }
            #expect(named.name == "reader" && other.name == "greenlet-\(other.id)")
            #expect(named.spawnLocation.hasPrefix("GreenletsTests/GreenletMemoryTests.swift:"))
            #expect(other.spawnLocation.hasPrefix("GreenletsTests/GreenletMemoryTests.swift:"))
        }
    }

    @Test func joinersBeforeAndAfterALinkAllHearOfTheEnd() async throws {
        try await withReactor { reactor in
            let gate = Event()
            let greenlet = Greenlet.spawn { () async throws in try await gate.wait() }
            var heard: [Int] = []
            let joiners = (0..<3).map { number in
                Greenlet.spawn { () async throws in
                    try await greenlet.join()
                    heard.append(number)
                }
            }
            await reactor.yield()
            greenlet.onReady { heard.append(9) }
            gate.set()
            for joiner in joiners { try await joiner.get() }
            #expect(heard == [9, 0, 1, 2])
        }
    }
}
