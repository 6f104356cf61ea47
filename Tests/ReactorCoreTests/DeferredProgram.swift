import ReactorTesting

/// What is done to the Deferreds of a program, by number.
struct DeferredProgram {
    indirect enum Step {
        case add(Int, Stage)
        case fire(Int, Int)
        case fail(Int, Int)
        case pause(Int), unpause(Int), cancel(Int)
        /// The program's own reference goes.
        case drop(Int)
    }

    enum Side: CaseIterable { case callback, errback, both }
    enum End { case value(Int), error(Int), deferred(Int) }
    enum Canceller: CaseIterable { case none, silent, fires, fails, cancelsNext }

    struct Stage {
        var name: Int
        var side: Side
        var effects: [Step]
        var end: End
    }

    static let width = 5
    var cancellers: [Canceller] = []
    var steps: [Step] = []
    private var stageCount = 0

    init(using generator: inout SeededGenerator) {
        cancellers = (0..<Self.width).map { _ in Canceller.allCases.randomElement(using: &generator)! }
        for _ in 0..<Int.random(in: 4...30, using: &generator) { steps.append(step(0, &generator)) }
    }

    private mutating func step(_ depth: Int, _ generator: inout SeededGenerator) -> Step {
        let index = Int.random(in: 0..<Self.width, using: &generator)
        let number = Int.random(in: 0..<100, using: &generator)
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<8: return .add(index, stage(depth, &generator))
        case 8..<11: return .fire(index, number)
        case 11..<13: return .fail(index, number)
        case 13..<14: return .pause(index)
        case 14..<16: return .unpause(index)
        case 16..<18: return .cancel(index)
        default: return .drop(index)
        }
    }

    private mutating func stage(_ depth: Int, _ generator: inout SeededGenerator) -> Stage {
        stageCount += 1
        let name = stageCount
        let number = Int.random(in: 0..<100, using: &generator)
        let end: End =
            switch Int.random(in: 0..<6, using: &generator) {
            case 0..<2: .value(number)
            case 2: .error(number)
            default: .deferred(number % Self.width)
            }
        let effectCount = depth < 3 ? max(0, Int.random(in: -2...2, using: &generator)) : 0
        return Stage(
            name: name, side: Side.allCases.randomElement(using: &generator)!,
            effects: (0..<effectCount).map { _ in step(depth + 1, &generator) }, end: end)
    }
}

struct ProgramError: Error, CustomStringConvertible {
    var number: Int
    var description: String { "error \(number)" }
}
