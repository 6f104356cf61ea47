import NIOCore
public import ReactorCore
public import Transports

/// What every transport keeps, clause by clause: run each of them against each implementation.
///
/// ```swift
/// @Test(arguments: TransportContract.allCases) func keepsTheContract(_ clause: TransportContract) async throws {
///     try await withReactor { reactor in
///         try await clause.verify(reactor) { left, right in … connect two ends, attach the protocols … }
///     }
/// }
/// ```
public enum TransportContract: String, CaseIterable, Sendable {
    /// Bytes written in pieces arrive complete and in order, both ways.
    case bytesArriveInOrder
    /// What was written before `loseConnection()` arrives; what is written after it does not.
    case loseConnectionSendsWhatWasWritten
    /// `connectionLost` comes once at each end, cleanly, and not from inside a call.
    case orderlyEndIsToldOnceToBoth
    /// `abortConnection()` ends this side as aborted and the other as lost, once, however often it is called.
    case abortEndsBothAtOnce
    /// An abort inside `dataReceived` is told after it.
    case abortInsideACallback
    /// Nothing is received while paused, and everything after.
    case pauseHoldsBytesBack
    /// The peer's end is told after `resumeProducing()`, behind its last bytes.
    case endWaitsForResume
    /// Resuming after `loseConnection()` receives nothing.
    case resumeWhileEndingReceivesNothing
    /// A producer is paused above the mark, once, and resumed when all is sent.
    case producerHeedsTheMark
    /// A producer is stopped when the connection ends, or at once when it has ended.
    case producerOfAnEndedConnectionIsStopped

    /// Checks the clause.
    /// - Parameter connect: makes a connection, gives its ends to the two protocols, and returns when both
    ///   are made.
    /// - Throws: `ContractViolation` saying what was expected and what happened.
    @ReactorActor public func verify(
        _ reactor: Reactor,
        connect: (_ left: RecordingProtocol, _ right: RecordingProtocol) async throws -> Void
    ) async throws {
        let (left, right) = (RecordingProtocol(), RecordingProtocol())
        try await connect(left, right)
        guard let transport = left.transport, let other = right.transport else {
            throw ContractViolation("\(rawValue): connectionMade without a transport")
        }
        let check = Check(clause: rawValue, left: left, right: right)
        let bulk = Self.bulk

        switch self {
        case .bytesArriveInOrder:
            var rest = bulk
            var size = 1
            while rest.readableBytes > 0, let piece = rest.readSlice(length: min(size, rest.readableBytes)) {
                transport.write(piece)
                size = size * 3 % 40_009
            }
            other.write(bulk)
            try await check.eventually("a megabyte arrives each way") {
                right.received.readableBytes >= 1_000_000 && left.received.readableBytes >= 1_000_000
            }
            try check("it is the same megabyte", left.received == bulk && right.received == bulk)

        case .loseConnectionSendsWhatWasWritten:
            transport.write(bulk)
            transport.loseConnection()
            transport.write("too late")
            try check("isDisconnecting is set at once", transport.isDisconnecting)
            try await check.eventually("both ends hear of the end") { left.end != nil && right.end != nil }
            try check("everything written before arrives", right.received == bulk)

        case .orderlyEndIsToldOnceToBoth:
            right.onData = { right, _ in right.transport?.loseConnection() }
            transport.write("go")
            try await check.eventually("both ends hear of the end") { left.end != nil && right.end != nil }
            transport.loseConnection()
            transport.abortConnection()
            try await reactor.sleep(for: .milliseconds(5))
            try check(
                "in order", left.events == ["made", "lost"] && right.events == ["made", "data", "lost"])
            try check("cleanly", left.end!.isClean && right.end!.isClean)

        case .abortEndsBothAtOnce:
            other.pauseProducing()
            transport.write(bulk)
            transport.abortConnection()
            transport.abortConnection()
            try check("it is not told inside the call", left.end == nil)
            try await check.eventually("this end hears of it") { left.end != nil }
            other.resumeProducing()
            try await check.eventually("the other end hears of it") { right.end != nil }
            try await reactor.sleep(for: .milliseconds(5))
            try check(
                "once", left.events == ["made", "lost"] && right.events.filter { $0 == "lost" }.count == 1)
            try check("this end aborted", { if case .aborted = left.end! { true } else { false } }())
            try check("the other end lost it", { if case .lost = right.end! { true } else { false } }())

        case .abortInsideACallback:
            right.onData = { right, _ in
                right.transport?.write("dropped")
                right.transport?.abortConnection()
            }
            transport.write("go")
            try await check.eventually("both ends hear of the end") { left.end != nil && right.end != nil }
            try check("once", right.events == ["made", "data", "lost"])

        case .pauseHoldsBytesBack:
            other.pauseProducing()
            transport.write("held back")
            try await reactor.sleep(for: .milliseconds(20))
            try check("nothing comes while paused", right.events == ["made"])
            other.resumeProducing()
            try await check.eventually("it comes after") { right.text == "held back" }

        case .endWaitsForResume:
            other.pauseProducing()
            transport.write("last words")
            transport.loseConnection()
            try await reactor.sleep(for: .milliseconds(20))
            try check("nothing is told while paused", right.events == ["made"])
            other.resumeProducing()
            try await check.eventually("both ends hear of the end") { left.end != nil && right.end != nil }
            try check("the last bytes come first", right.text == "last words")

        case .resumeWhileEndingReceivesNothing:
            other.pauseProducing()
            transport.write("unread")
            try await reactor.sleep(for: .milliseconds(5))
            other.loseConnection()
            other.resumeProducing()
            try await check.eventually("both ends hear of the end") { left.end != nil && right.end != nil }
            try check("nothing was received", right.events == ["made", "lost"])

        case .producerHeedsTheMark:
            let producer = RecordingProducer()
            other.pauseProducing()
            transport.registerProducer(producer)
            var written = 0
            while transport.unsentByteCount <= transport.highWaterMark {
                try check("no pause below the mark", producer.log.isEmpty)
                transport.write(bulk.getSlice(at: 0, length: 20_000)!)
                written += 20_000
                try await reactor.sleep(for: .zero)
            }
            try check("a pause above the mark", producer.log == ["pause"])
            transport.write("x")
            try check("no second pause", producer.log == ["pause"])
            other.resumeProducing()
            try await check.eventually("resumed when all is sent") { producer.log == ["pause", "resume"] }
            try check("and not before", transport.unsentByteCount == 0)
            try await check.eventually("everything arrives") { right.received.readableBytes == written + 1 }

        case .producerOfAnEndedConnectionIsStopped:
            let (early, late) = (RecordingProducer(), RecordingProducer())
            transport.registerProducer(early)
            transport.abortConnection()
            try await check.eventually("stopped at the end") { early.log == ["stop"] }
            transport.registerProducer(late)
            try check("stopped at once", late.log == ["stop"])
        }

        left.transport?.abortConnection()
        right.transport?.abortConnection()
        try await check.eventually("both ends are over") { left.end != nil && right.end != nil }
        try check("no callback inside another", !left.wasReentered && !right.wasReentered)
    }

    /// A million bytes in which a swap or a gap shows.
    private static let bulk: ByteBuffer = {
        var state: UInt32 = 1
        return ByteBuffer(
            bytes: (0..<1_000_000).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt8(truncatingIfNeeded: state >> 24)
            })
    }()
}

/// A clause of a contract that an implementation does not keep.
public struct ContractViolation: Error, CustomStringConvertible {
    /// The clause, what was expected and what was seen.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A producer that writes down what it is told.
@ReactorActor
public final class RecordingProducer: PushProducer {
    /// `pause`, `resume`, `stop` in the order they came.
    public private(set) var log: [String] = []

    /// A producer that was told nothing.
    public init() {}

    /// Writes it down.
    public func pauseProducing() { log.append("pause") }
    /// Writes it down.
    public func resumeProducing() { log.append("resume") }
    /// Writes it down.
    public func stopProducing() { log.append("stop") }
}

@ReactorActor
private struct Check {
    let clause: String
    let left: RecordingProtocol
    let right: RecordingProtocol

    func callAsFunction(_ expectation: String, _ holds: Bool) throws {
        if !holds { throw violation(expectation) }
    }

    func eventually(_ expectation: String, _ condition: () -> Bool) async throws {
        let deadline = Reactor.current.now.advanced(by: .seconds(20))
        while !condition() {
            guard Reactor.current.now < deadline else { throw violation(expectation) }
            try await Reactor.current.sleep(for: .microseconds(200))
        }
    }

    private func violation(_ expectation: String) -> ContractViolation {
        func state(_ one: RecordingProtocol) -> String {
            "\(one.events) \(one.received.readableBytes) bytes, end: \(one.end.map { "\($0)" } ?? "none")"
        }
        return ContractViolation("\(clause): \(expectation). Left \(state(left)); right \(state(right))")
    }
}
