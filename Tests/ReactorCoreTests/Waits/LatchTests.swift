import CLinux
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct LatchTests {
    @Test func latchTakesElevenWords() async throws {
        try await withReactor { reactor in
            let latches = (0..<100).map { _ in Latch(on: reactor) }
            // The least of them: a block that is used again may be larger than was asked for.
            let sizes = latches.map { malloc_usable_size(Unmanaged.passUnretained($0).toOpaque()) }
            let size = try #require(sizes.min())
            #expect(size <= 11 * MemoryLayout<UInt>.size)
        }
    }

    @Test func latchKeepsWhatItsWaitIsFor() async throws {
        try await withReactor { reactor in
            #expect(Latch(on: reactor, for: .descriptor(7, .writable)).reason.description.contains("7"))
            #expect(Latch(on: reactor, for: .time).reason.kind == .time)
            let subject = Subject()
            let latch = Latch(on: reactor, for: .subject(subject))
            #expect(latch.reason.subject === subject && latch.reason.description == "a test")
            #expect(!latch.reason.canEndFromOutside)
        }
    }

    @Test func errorOfALatchIsThrownToWhoComesLater() async throws {
        try await withReactor { reactor in
            let latch = Latch(on: reactor)
            let isFirst = latch.open(throwing: CancellationError())
            #expect(isFirst && !latch.open() && !latch.isPending)
            await #expect(throws: CancellationError.self) { try await latch.waitUntilOpen() }
        }
    }

    private final class Subject: WaitSubject {
        let waitDescription = "a test"
    }
}
