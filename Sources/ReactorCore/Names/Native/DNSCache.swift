import DequeModule

/// What name servers have said, for as long as they said it may be remembered. Pure; the caller has the clock.
struct DNSCache {
    private struct Entry {
        let outcome: DNSOutcome
        let end: ReactorInstant
        /// Tells it from an earlier entry of the same question.
        let number: UInt64
    }

    /// How many answers are remembered.
    let limit: Int
    private var entries: [DNSQuestion: Entry] = [:]
    /// In the order they came; of entries that are gone too, as many again at most.
    private var order: Deque<(question: DNSQuestion, number: UInt64)> = []
    private var lastNumber: UInt64 = 0

    /// A day, and a quarter of an hour for what does not exist: a server's mistake must not last.
    private static let longest = UInt32(86_400)
    private static let longestWithout = UInt32(900)

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    /// What is known at `now`.
    mutating func outcome(of question: DNSQuestion, at now: ReactorInstant) -> DNSOutcome? {
        guard let entry = entries[question] else { return nil }
        guard now < entry.end else {
            entries[question] = nil
            return nil
        }
        return entry.outcome
    }

    /// Remembers an outcome, unless it says that it must not be.
    mutating func remember(_ outcome: DNSOutcome, of question: DNSQuestion, at now: ReactorInstant) {
        let seconds: UInt32
        switch outcome {
        case .addresses(_, let ttl): seconds = min(ttl, Self.longest)
        case .noSuchName(let ttl), .noAddress(let ttl): seconds = min(ttl, Self.longestWithout)
        case .alias, .failed: return
        }
        guard seconds > 0, limit > 0 else { return }
        lastNumber += 1
        entries[question] = Entry(
            outcome: outcome, end: now.advanced(by: .seconds(Int64(seconds))), number: lastNumber)
        order.append((question, lastNumber))
        makeRoom()
    }

    mutating func removeAll() {
        entries = [:]
        order = []
    }

    /// Forgets the oldest while there are too many.
    private mutating func makeRoom() {
        while entries.count > limit || order.count > 2 * limit, let oldest = order.popFirst() {
            if entries[oldest.question]?.number == oldest.number { entries[oldest.question] = nil }
        }
    }
}
