import Framing
import NIOCore
import Testing

@Suite struct LineFramerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var input: String
        var expected: [Framed.Event]
        var testDescription: String { input.debugDescription }

        init(_ input: String, _ expected: [Framed.Event]) {
            self.input = input
            self.expected = expected
        }
    }

    @Test(arguments: [
        Case("", []),
        Case("a", []),
        Case("\r", []),
        Case("\n", [.frame("")]),
        Case("\r\n", [.frame("")]),
        Case("\n\n", [.frame(""), .frame("")]),
        Case("\r\n\r\n", [.frame(""), .frame("")]),
        Case("one\r\n", [.frame("one")]),
        Case("one\n", [.frame("one")]),
        Case("one\r\ntwo\r\n\r\nthree", [.frame("one"), .frame("two"), .frame("")]),
        Case("one\ntwo\r\nthree\n", [.frame("one"), .frame("two"), .frame("three")]),
        Case("a\rb\r\n", [.frame("a\rb")]),
        Case("a\r\r\nb\n", [.frame("a\r"), .frame("b")]),
        Case("\u{e4}\u{20ac}\u{1f600}\r\n", [.frame("\u{e4}\u{20ac}\u{1f600}")]),
    ])
    func linesAreTheSameAtEveryChunking(_ it: Case) {
        verifyAtEveryChunking(it.input, gives: it.expected) { LineFramer() }
    }

    @Test(arguments: [
        Case("one\ntwo\r\n", [.frame("one\ntwo")]),
        Case("\n\r\n", [.frame("\n")]),
        Case("\n\n\n", []),
        Case("a\r\r\n\r\n", [.frame("a\r"), .frame("")]),
        Case("a\rb\n\r\nc\r\n", [.frame("a\rb\n"), .frame("c")]),
    ])
    func bareLineFeedIsTextWhenTheDelimiterIsStrict(_ it: Case) {
        verifyAtEveryChunking(it.input, gives: it.expected) {
            LineFramer(delimiter: .carriageReturnLineFeed)
        }
    }

    @Test(arguments: [
        Case("12345\r\n", [.frame("12345")]),
        Case("12345\n", [.frame("12345")]),
        Case("123456\r\n", [.lengthExceeded]),
        Case("123456\n", [.lengthExceeded]),
        Case("123456", [.lengthExceeded]),
        Case("12345\r", []),
        Case("12345\rx", [.lengthExceeded]),
        Case("12345\r\r\n", [.lengthExceeded]),
        Case("12345678901234567890\r\nab\r\n", [.lengthExceeded, .frame("ab")]),
        Case("12345678901234567890\nab\n", [.lengthExceeded, .frame("ab")]),
        Case("1234567\r\n\r\n", [.lengthExceeded, .frame("")]),
        Case("1234567\r\r\nx\n", [.lengthExceeded, .frame("x")]),
        Case("1234567\n1234567\nok\n", [.lengthExceeded, .lengthExceeded, .frame("ok")]),
        Case("ok\n1234567", [.frame("ok"), .lengthExceeded]),
    ])
    func anOverLongLineIsReportedOnceAndSkipped(_ it: Case) {
        verifyAtEveryChunking(it.input, gives: it.expected, maxBuffered: 6) { LineFramer(maxLength: 5) }
    }

    @Test(arguments: [
        Case("1234567\nx\r\nok\r\n", [.lengthExceeded, .frame("ok")]),
        Case("1234567\r\nok\r\n", [.lengthExceeded, .frame("ok")]),
        Case("1234\n\r\n", [.frame("1234\n")]),
        Case("12345\n\r\n", [.lengthExceeded]),
        Case("12345\r\r\r\nok\r\n", [.lengthExceeded, .frame("ok")]),
    ])
    func anOverLongLineEndsAtTheStrictDelimiter(_ it: Case) {
        verifyAtEveryChunking(it.input, gives: it.expected, maxBuffered: 6) {
            LineFramer(delimiter: .carriageReturnLineFeed, maxLength: 5)
        }
    }

    @Test func theDefaultLimitIs16384Bytes() {
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 16_384)
        var framer = LineFramer()

        framer.append(ByteBuffer(bytes: line + Array("\r\n".utf8)))
        #expect(framer.next() == .frame(ByteBuffer(bytes: line)))
        framer.append(ByteBuffer(bytes: line))
        #expect(framer.next() == nil)
        framer.append(ByteBuffer(string: "x"))
        #expect(framer.next() == .lengthExceeded(limit: 16_384))
        #expect(framer.next() == nil)
    }

    @Test func anEndlessLineIsNotKept() {
        var framer = LineFramer(maxLength: 10)
        let piece = ByteBuffer(bytes: [UInt8](repeating: UInt8(ascii: "x"), count: 65_536))
        var events: [FramingEvent] = []
        for _ in 0..<100 {
            framer.append(piece)
            while let event = framer.next() { events.append(event) }
            #expect(framer.bufferedByteCount == 0)
        }
        #expect(events == [.lengthExceeded(limit: 10)])
    }

    @Test func rawModeHandsOverWhatIsBufferedAndWhatComes() {
        var framer = LineFramer()
        framer.append(ByteBuffer(string: "raw 7\r\nabc"))
        #expect(framer.next() == .frame(ByteBuffer(string: "raw 7")))

        framer.mode = .raw
        #expect(framer.next() == .raw(ByteBuffer(string: "abc")))
        #expect(framer.next() == nil)
        framer.append(ByteBuffer(string: "defg\nnext\n"))
        #expect(framer.next() == .raw(ByteBuffer(string: "defg\nnext\n")))
    }

    @Test func bytesPutBackAreReadAsLinesAgain() {
        var framer = LineFramer()
        framer.mode = .raw
        framer.append(ByteBuffer(string: "defg\nnext\nla"))
        #expect(framer.next() != nil)

        framer.mode = .lines
        framer.append(ByteBuffer(string: "st\n"))
        framer.prepend(ByteBuffer(string: "next\nla"))
        #expect(framer.next() == .frame(ByteBuffer(string: "next")))
        #expect(framer.next() == .frame(ByteBuffer(string: "last")))
        #expect(framer.next() == nil)
    }

    /// S61: a receiver that changes its mind with every frame.
    @Test func modesMayAlternateAThousandTimes() {
        var framer = LineFramer()
        for round in 0..<1000 {
            framer.mode = .lines
            framer.append(ByteBuffer(string: "line \(round)\nrest"))
            #expect(framer.next() == .frame(ByteBuffer(string: "line \(round)")))
            framer.mode = .raw
            #expect(framer.next() == .raw(ByteBuffer(string: "rest")))
        }
        #expect(framer.bufferedByteCount == 0)
    }

    @Test func removingAllForgetsAHalfSkippedLine() {
        var framer = LineFramer(maxLength: 3)
        framer.append(ByteBuffer(string: "1234567\r"))
        #expect(framer.next() == .lengthExceeded(limit: 3))
        framer.removeAll()
        framer.append(ByteBuffer(string: "\nok\n"))
        #expect(framer.next() == .frame(ByteBuffer(string: "")))
        #expect(framer.next() == .frame(ByteBuffer(string: "ok")))
    }

    /// A million one-byte packets of one line: quadratic work would take minutes.
    @Test(.timeLimit(.minutes(10))) func aLongLineInTinyPacketsCostsLinearTime() {
        var framer = LineFramer(maxLength: 1_000_000)
        let byte = ByteBuffer(string: "x")
        for _ in 0..<1_000_000 {
            framer.append(byte)
            _ = framer.next()
        }
        framer.append(ByteBuffer(string: "\n"))
        guard case .frame(let line)? = framer.next() else {
            Issue.record("no line")
            return
        }
        #expect(line.readableBytes == 1_000_000)
    }

    /// Lines taken from a large packet must not each move the bytes behind them.
    @Test(.timeLimit(.minutes(10))) func manyLinesOfOnePacketCostLinearTime() {
        var framer = LineFramer()
        framer.append(ByteBuffer(string: String(repeating: "a line\r\n", count: 500_000)))
        var count = 0
        while framer.next() != nil { count += 1 }
        #expect(count == 500_000)
    }
}
