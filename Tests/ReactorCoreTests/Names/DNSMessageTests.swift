import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct DNSMessageTests {
    private func name(_ text: String) -> DNSName { DNSName(text)! }

    private var sample: DNSMessage {
        var message = DNSMessage(id: 0xBEEF)
        message.isResponse = true
        message.recursionAvailable = true
        message.code = .noSuchName
        message.questions = [DNSQuestion(name: name("www.Example.org"), type: DNSType.a)]
        message.answers = [
            DNSRecord(name: name("www.example.org"), ttl: 300, data: .cname(name("a.example.org"))),
            DNSRecord(name: name("a.example.org"), ttl: 5, data: .a([192, 0, 2, 1])),
            DNSRecord(name: name("a.example.org"), ttl: 70_000, data: .aaaa(Array(1...16))),
        ]
        message.authorities = [
            DNSRecord(name: name("org"), ttl: 9, data: .soa(minimum: 100_000)),
            DNSRecord(name: name("org"), ttl: 9, data: .other(type: 16, [1, 2, 3])),
        ]
        message.additionals = [.extendedDatagrams]
        return message
    }

    @Test func messageIsReadAsItWasWritten() throws {
        let read = try DNSReader.message(sample.encoded())
        #expect(read == sample)
        #expect(read.questions[0].name.description == "www.Example.org", "the case is kept")
    }

    @Test func namesAreEqualWhateverTheirCase() {
        #expect(name("EXAMPLE.org") == name("example.ORG."))
        #expect(name("EXAMPLE.org").hashValue == name("example.org").hashValue)
        #expect(name("example.org") != name("example.net"))
        #expect(DNSName("a..b") == nil && DNSName("") == nil)
        #expect(DNSName(String(repeating: "x", count: 64)) == nil)
        let long = Array(repeating: String(repeating: "x", count: 63), count: 4).joined(separator: ".")
        #expect(DNSName(long) == nil)
        #expect(DNSName(String(long.dropLast(2))) != nil)
        #expect(name(".").description == ".")
        var random = SeededGenerator(seed: 1)
        let drawn = name("example-1.org").withRandomCase(using: &random)
        #expect(drawn == name("example-1.org"))
        #expect(drawn.labels != name("example-1.org").labels)
    }

    /// A header with these counts.
    private func header(_ counts: [UInt8], flags: [UInt8] = [0x81, 0x80]) -> [UInt8] {
        [0, 1] + flags + counts.flatMap { [0, $0] }
    }

    @Test func compressedNamesAreFollowed() throws {
        let bytes =
            header([1, 1, 0, 0]) + [3] + Array("www".utf8) + [3] + Array("org".utf8) + [0, 0, 1, 0, 1]
            + [1, 97, 0xC0, 16, 0, 1, 0, 1, 0, 0, 0, 7, 0, 4, 192, 0, 2, 9]
        let message = try DNSReader.message(bytes)
        #expect(message.answers == [DNSRecord(name: name("a.org"), ttl: 7, data: .a([192, 0, 2, 9]))])
    }

    @Test(
        arguments: [
            // A pointer to itself, one forward, two that point at each other, a label that leads back to its own start.
            [0xC0, 12], [0xC0, 40], [0xC0, 14, 0xC0, 12], [1, 97, 0xC0, 12],
            // Kinds of labels that nobody uses, names without an end.
            [0x40, 0], [0x80, 1], [5, 97], [0xC0], [63],
        ] as [[UInt8]]) func wildNamesAreErrors(_ bytes: [UInt8])
    {
        #expect(throws: DNSFormatError.self) { try DNSReader.message(header([1, 0, 0, 0]) + bytes) }
    }

    @Test func nameThatGrowsBeyondItsLimitByPointersIsAnError() {
        // Each of 20 questions is a label of 20 bytes and a pointer to the one before.
        var bytes = header([20, 0, 0, 0])
        var last = 0
        for number in 0..<20 {
            let start = bytes.count
            bytes += [20] + [UInt8](repeating: 97, count: 20)
            bytes += number == 0 ? [0] : [0xC0 | UInt8(last >> 8), UInt8(last & 0xFF)]
            bytes += [0, 1, 0, 1]
            last = start
        }
        #expect(throws: DNSFormatError(reason: "a name of more than 255 bytes")) {
            try DNSReader.message(bytes)
        }
    }

    @Test func everyTruncationIsAnErrorOrAMessageThatSaysSo() throws {
        let whole = sample.encoded()
        for count in 0..<whole.count {
            #expect(throws: DNSFormatError.self) { try DNSReader.message(Array(whole[..<count])) }
        }
        var cut = sample
        cut.isTruncated = true
        let bytes = cut.encoded()
        let read = try DNSReader.message(Array(bytes[..<(bytes.count - 60)]))
        #expect(read.isTruncated)
        #expect(!read.answers.isEmpty)
    }

    /// Bytes of no sense, and good messages with some bytes changed, never do worse than an error.
    @Test(arguments: [UInt64](0..<20)) func randomBytesNeverCrash(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            var bytes: [UInt8]
            if Bool.random(using: &random) {
                bytes = sample.encoded()
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
                        in: 0...255, using: &random)
                }
            } else {
                bytes = (0..<Int.random(in: 0..<80, using: &random)).map { _ in
                    // Many pointers.
                    Bool.random(using: &random) ? 0xC0 : .random(in: 0...30, using: &random)
                }
            }
            guard let message = try? DNSReader.message(bytes) else { continue }
            _ = message.encoded()
            for question in message.questions { _ = DNSOutcome(of: message, to: question) }
        }
    }
}
