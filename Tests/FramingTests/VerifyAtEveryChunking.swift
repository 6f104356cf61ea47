import Framing
import NIOCore
import Testing

/// What a framer made of a stream: its events in readable form, with neighbouring raw pieces joined.
struct Framed: Equatable, CustomStringConvertible {
    enum Event: Equatable, Sendable {
        case frame(String)
        case raw(String)
        case lengthExceeded
    }

    var events: [Event] = []

    mutating func append(_ event: FramingEvent) {
        switch event {
        case .frame(let bytes):
            events.append(.frame(String(decoding: bytes.readableBytesView, as: UTF8.self)))
        case .lengthExceeded: events.append(.lengthExceeded)
        case .raw(let bytes):
            let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
            if case .raw(let before)? = events.last {
                events[events.count - 1] = .raw(before + text)
            } else {
                events.append(.raw(text))
            }
        }
    }

    var description: String { "\(events)" }
}

/// Feeds `input` to fresh framers whole, in packets of every size from 1 to 9, and cut in two at every place, and
/// expects the same events each time: for any framer, a chunking must never show.
func verifyAtEveryChunking<F: Framer>(
    _ input: [UInt8], gives expected: [Framed.Event], maxBuffered: Int = .max,
    sourceLocation: SourceLocation = #_sourceLocation, _ makeFramer: () -> F
) {
    func run(_ chunks: [ArraySlice<UInt8>], _ how: @autoclosure () -> String) {
        var framer = makeFramer()
        var framed = Framed()
        for chunk in chunks {
            framer.append(ByteBuffer(bytes: chunk))
            while let event = framer.next() { framed.append(event) }
            let kept = framer.bufferedByteCount
            #expect(kept <= maxBuffered, "\(how()): keeps \(kept) bytes", sourceLocation: sourceLocation)
        }
        #expect(framed.events == expected, "\(how())", sourceLocation: sourceLocation)
    }

    run([input[...]], "whole")
    for size in 1...9 {
        let chunks = stride(from: 0, to: input.count, by: size).map {
            input[$0..<min($0 + size, input.count)]
        }
        run(chunks, "in packets of \(size)")
    }
    for cut in 0...input.count { run([input[..<cut], input[cut...]], "cut at \(cut)") }
}

/// The same for text.
func verifyAtEveryChunking<F: Framer>(
    _ input: String, gives expected: [Framed.Event], maxBuffered: Int = .max,
    sourceLocation: SourceLocation = #_sourceLocation, _ makeFramer: () -> F
) {
    verifyAtEveryChunking(
        Array(input.utf8), gives: expected, maxBuffered: maxBuffered, sourceLocation: sourceLocation,
        makeFramer)
}
