import NIOCore
import Testing

@testable import Transports

@Suite struct WriteQueueTests {
    /// Takes everything, at most `chunk` bytes a call; returns the pieces that were offered and taken.
    private func drain(_ queue: inout WriteQueue, chunk: Int = .max) -> [String] {
        var pieces: [String] = []
        while !queue.isEmpty {
            let count = queue.send { bytes in
                let taken = bytes.prefix(chunk)
                pieces.append(String(decoding: taken, as: UTF8.self))
                return taken.count
            }
            if count <= 0 { break }
        }
        return pieces
    }

    @Test func smallWritesAreJoined() {
        var queue = WriteQueue()
        for word in ["one ", "two ", "", "three"] { queue.append(ByteBuffer(string: word)) }
        #expect(queue.byteCount == 13)
        #expect(drain(&queue) == ["one two three"])
        #expect(queue.isEmpty)
    }

    @Test func largeWritesAreNotCopiedTogether() {
        var queue = WriteQueue()
        queue.append(ByteBuffer(repeating: 1, count: 16_384))
        queue.append(ByteBuffer(string: "x"))
        #expect(drain(&queue).map(\.utf8.count) == [16_384, 1])
    }

    @Test(arguments: 1...9) func partialSendsLoseNothing(_ chunk: Int) {
        var queue = WriteQueue()
        queue.append(ByteBuffer(string: "abcdefghij"))
        var sent = ""
        // Appending between the pieces, as a busy connection does.
        for letter in "klmnop" {
            _ = queue.send { bytes in
                sent += String(decoding: bytes.prefix(chunk), as: UTF8.self)
                return min(chunk, bytes.count)
            }
            queue.append(ByteBuffer(string: String(letter)))
        }
        sent += drain(&queue, chunk: chunk).joined()
        #expect(sent == "abcdefghijklmnop")
        #expect(queue.byteCount == 0)
    }

    @Test func aRefusedSendLeavesTheQueueAsItIs() {
        var queue = WriteQueue()
        queue.append(ByteBuffer(string: "abc"))
        #expect(queue.send { _ in -11 } == -11)
        #expect(queue.byteCount == 3)
        #expect(drain(&queue) == ["abc"])
    }

    @Test func whoStillHoldsAWrittenBufferSeesNoChange() {
        var queue = WriteQueue()
        let mine = ByteBuffer(string: "mine")
        queue.append(mine)
        queue.append(ByteBuffer(string: "more"))
        #expect(mine == ByteBuffer(string: "mine"))
        #expect(drain(&queue) == ["minemore"])
    }

    @Test func removingAllForgetsEverything() {
        var queue = WriteQueue()
        queue.append(ByteBuffer(string: "abc"))
        queue.removeAll()
        #expect(queue.isEmpty)
        #expect(drain(&queue) == [])
    }
}
