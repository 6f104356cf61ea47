import DequeModule

/// Keeps the answers of one connection in the order of its lines, whatever the order in which they become known. Pure.
struct AnswerQueue {
    private var places: Deque<String?> = []
    /// The number of the place at the front.
    private var first = 0
    private var isEnding = false

    /// Places reserved and not yet taken.
    var pendingCount: Int { places.count }

    /// Whether the last answer has been taken and none will come.
    var isFinished: Bool { isEnding && places.isEmpty }

    /// The next place in line.
    mutating func reserve() -> Int {
        places.append(nil)
        return first + places.count - 1
    }

    /// Gives the answer of a reserved place.
    mutating func fulfil(_ place: Int, with text: String) { places[place - first] = text }

    /// No place will be reserved any more.
    mutating func finish() { isEnding = true }

    /// Takes the answers whose turn it is.
    mutating func takeReady() -> [String] {
        var ready: [String] = []
        while case .some(.some(let text)) = places.first {
            ready.append(text)
            places.removeFirst()
            first += 1
        }
        return ready
    }
}
