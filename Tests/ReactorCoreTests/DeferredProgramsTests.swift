import ReactorTesting
import Testing

@testable import ReactorCore

/// Random programs of callbacks, firings, pauses, cancellations and dropped references, run on Deferreds and on a small
/// model of them, must give the same log and leave nothing behind.
@Suite struct DeferredProgramsTests {
    @Test func randomProgramsDoWhatTheModelDoes() async throws {  // S1 to S18
        let seed = UInt64.random(in: .min ... .max)
        print("random programs of Deferreds: seed \(seed)")
        try await withReactor(failsOnUnhandledErrors: false) { _ in
            // In a test's own task task-local values are bound.
            if let failure = try Self.run(2_000, seed: seed) { Issue.record("\(failure)") }
        }
        let failure = try await onThread(stackSize: 1 << 20) { _ in try Self.run(4_000, seed: ~seed) }
        if let failure { Issue.record("\(failure)") }
    }

    /// What went wrong, if anything.
    @ReactorActor private static func run(_ count: Int, seed: UInt64) throws -> String? {
        // Many programs end with an error; they are not for the log.
        let reports = UnhandledErrorRecorder()
        defer { withExtendedLifetime(reports) {} }
        var generator = SeededGenerator(seed: seed)
        for number in 0..<count {
            let program = Program(using: &generator)
            let lives = Life.Count()
            let model = ModelWorld(program)
            model.run()
            let log = run(program, lives)
            guard log == model.log, lives.now == 0 else {
                return """
                    seed \(seed), program \(number), \(lives.now) lives left
                    \(program.steps.map { "  \($0)" }.joined(separator: "\n"))
                    model: \(model.log)
                    found: \(log)
                    """
            }
        }
        return nil
    }

    @ReactorActor private static func run(_ program: Program, _ lives: Life.Count) -> [String] {
        let world = RealWorld(program, lives)
        world.run()
        defer { world.deferreds = [] }
        return world.log
    }
}

/// What is done to the Deferreds of a program, by number.
private struct Program {
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

private struct Thrown: Error, CustomStringConvertible {
    var number: Int
    var description: String { "error \(number)" }
}

// MARK: The Deferreds

/// A Deferred that has been returned from a callback carries Void; then its callbacks are added as such.
@ReactorActor private final class RealWorld {
    var deferreds: [Deferred<Int>?] = []
    var log: [String] = []
    private var pauses = [Int](repeating: 0, count: Program.width)
    private let program: Program
    private let lives: Life.Count

    init(_ program: Program, _ lives: Life.Count) {
        self.program = program
        self.lives = lives
        deferreds = program.cancellers.enumerated().map { index, canceller in
            let life = Life(lives)
            if canceller == .none { return Deferred<Int>() }
            return Deferred<Int>(onCancel: { [self] deferred in
                life.keep()
                log.append("canceller \(index)")
                switch canceller {
                case .none, .silent: break
                case .fires: try? deferred.callback(-1)
                case .fails: try? deferred.errback(Thrown(number: -1))
                case .cancelsNext: deferreds[(index + 1) % Program.width]?.cancel()
                }
            })
        }
    }

    func run() {
        for step in program.steps { take(step) }
        for (index, deferred) in deferreds.enumerated() {
            guard let deferred else { continue }
            let chain = deferred.chain
            // Held back, it may still be of the type from before.
            let result =
                chain.hasPendingStages
                ? nil
                : chain.valueType == Void.self
                    ? chain.peek(Void.self).map(text) : chain.peek(Int.self).map(text)
            log.append("end \(index) \(result ?? "nothing") \(deferred.isCalled) \(deferred.isPaused)")
        }
    }

    private func text(_ result: Result<Int, any Error>) -> String {
        switch result {
        case .success(let value): "\(value)"
        case .failure(let error): describe(error)
        }
    }

    private func text(_ result: Result<Void, any Error>) -> String {
        switch result {
        case .success: "void"
        case .failure(let error): describe(error)
        }
    }

    private func describe(_ error: any Error) -> String {
        switch error {
        case let error as Thrown: "\(error)"
        case let error as DeferredError where error.code == .cancelled: "cancelled"
        case let error as DeferredError where error.code == .circularChain: "circular"
        default: "unexpected \(error)"
        }
    }

    private func take(_ step: Program.Step) {
        switch step {
        case .add(let index, let stage): add(stage, to: index)
        case .fire(let index, let number):
            guard let deferred = deferreds[index] else { return }
            do { try deferred.callback(number) } catch { log.append("already \(index)") }
        case .fail(let index, let number):
            guard let deferred = deferreds[index] else { return }
            do { try deferred.errback(Thrown(number: number)) } catch { log.append("already \(index)") }
        case .pause(let index):
            guard let deferred = deferreds[index] else { return }
            pauses[index] += 1
            deferred.pause()
        case .unpause(let index):
            guard let deferred = deferreds[index], pauses[index] > 0 else { return }
            pauses[index] -= 1
            deferred.unpause()
        case .cancel(let index): deferreds[index]?.cancel()
        case .drop(let index): deferreds[index] = nil
        }
    }

    private func add(_ stage: Program.Stage, to index: Int) {
        guard let deferred = deferreds[index] else { return }
        let life = Life(lives)
        if deferred.chain.valueType == Void.self {
            Deferred<Void>(deferred.chain).addBoth { [self] result -> Void in
                life.keep()
                log.append("\(stage.name): \(text(result))")
                if case .error(let number) = stage.end { throw Thrown(number: number) }
                if stage.side == .callback { try result.get() }
            }
            return
        }
        // It ends in a value, in an error, or in a Deferred that still has its own to give.
        @ReactorActor func end(_ input: String) throws -> Deferred<Int> {
            life.keep()
            log.append("\(stage.name): \(input)")
            for effect in stage.effects { take(effect) }
            switch stage.end {
            case .value(let number): return .succeed(number)
            case .error(let number): throw Thrown(number: number)
            case .deferred(let other):
                guard let inner = deferreds[other], inner.chain.valueType == Int.self else {
                    return .succeed(0)
                }
                return inner
            }
        }
        switch (stage.side, stage.end) {
        case (.callback, .deferred): deferred.addCallback { [self] in try end(text(.success($0))) }
        case (.errback, .deferred): deferred.addErrback { [self] in try end(describe($0)) }
        case (.both, .deferred): deferred.addBoth { [self] in try end(text($0)) }
        case (.callback, _): deferred.addCallback { [self] in try end(text(.success($0))).outcome! }
        case (.errback, _): deferred.addErrback { [self] in try end(describe($0)).outcome! }
        case (.both, _): deferred.addBoth { [self] in try end(text($0)).outcome! }
        }
    }
}

// MARK: The model

/// The rules of Twisted, as plainly as they can be put: by recursion, and freeing nothing.
private final class ModelWorld {
    final class Model {
        var isCalled = false
        var forgivesOne = false
        var pauses = 0
        var isRunning = false
        var isGiven = false
        var outcome: String?
        var isError = false
        var inner: Model?
        var stages: [(Model) -> Void] = []
        var cancel: (() -> Void)?

        func set(_ text: String, isError: Bool) {
            outcome = text
            self.isError = isError
        }

        func run() {
            while outcome != nil, pauses == 0, !isRunning, !stages.isEmpty {
                let stage = stages.removeFirst()
                isRunning = true
                stage(self)
                isRunning = false
                if let next = wakes {
                    wakes = nil
                    next.run()
                }
            }
        }

        /// Who got our outcome just now.
        var wakes: Model?
    }

    var log: [String] = []
    private var models: [Model] = []
    private var isDropped = [Bool](repeating: false, count: Program.width)
    private let program: Program

    init(_ program: Program) {
        self.program = program
        models = program.cancellers.map { _ in Model() }
        for (index, canceller) in program.cancellers.enumerated() where canceller != .none {
            models[index].cancel = { [unowned self] in
                log.append("canceller \(index)")
                switch canceller {
                case .none, .silent: break
                case .fires: _ = fire(models[index], "-1", isError: false)
                case .fails: _ = fire(models[index], "error -1", isError: true)
                case .cancelsNext:
                    let next = (index + 1) % Program.width
                    if !isDropped[next] { cancel(models[next]) }
                }
            }
        }
    }

    deinit {
        // Models that wait for each other would be kept for ever.
        for model in models { (model.inner, model.wakes, model.stages) = (nil, nil, []) }
    }

    func run() {
        for step in program.steps { take(step) }
        for (index, model) in models.enumerated() where !isDropped[index] {
            let isPaused = model.pauses > 0 || model.inner != nil
            let outcome = model.stages.isEmpty ? model.outcome : nil
            log.append("end \(index) \(outcome ?? "nothing") \(model.isCalled) \(isPaused)")
        }
    }

    private func fire(_ model: Model, _ text: String, isError: Bool) -> Bool {
        if model.isCalled {
            defer { model.forgivesOne = false }
            return model.forgivesOne
        }
        model.isCalled = true
        model.cancel = nil
        model.set(text, isError: isError)
        model.run()
        return true
    }

    private func cancel(_ model: Model) {
        if model.isCalled {
            guard let inner = model.inner else { return }
            let index = models.firstIndex { $0 === inner }!
            // Ours only: nobody can unpause it any more.
            if isDropped[index], inner.isCalled, inner.inner == nil, !inner.isRunning {
                model.inner = nil
                model.set("cancelled", isError: true)
                model.run()
            } else {
                cancel(inner)
            }
            return
        }
        if let canceller = model.cancel {
            model.cancel = nil
            canceller()
        } else {
            model.forgivesOne = true
        }
        if !model.isCalled { _ = fire(model, "cancelled", isError: true) }
    }

    private func take(_ step: Program.Step) {
        let index: Int
        switch step {
        case .add(let number, _), .fire(let number, _), .fail(let number, _), .pause(let number),
            .unpause(let number), .cancel(let number), .drop(let number):
            index = number
        }
        guard !isDropped[index] else { return }
        let model = models[index]
        switch step {
        case .add(_, let stage): add(stage, to: model)
        case .fire(_, let number):
            if !fire(model, "\(number)", isError: false) { log.append("already \(index)") }
        case .fail(_, let number):
            if !fire(model, "error \(number)", isError: true) { log.append("already \(index)") }
        case .pause: model.pauses += 1
        case .unpause:
            guard model.pauses > 0 else { return }
            model.pauses -= 1
            model.run()
        case .cancel: cancel(model)
        case .drop: isDropped[index] = true
        }
    }

    private func add(_ stage: Program.Stage, to model: Model) {
        if model.isGiven {
            model.stages.append { [unowned self] model in
                log.append("\(stage.name): \(model.outcome!)")
                if case .error(let number) = stage.end {
                    model.set("error \(number)", isError: true)
                } else if !(stage.side == .callback && model.isError) {
                    model.set("void", isError: false)
                }
            }
        } else {
            model.stages.append { [unowned self] model in
                if stage.side == .callback && model.isError || stage.side == .errback && !model.isError {
                    return
                }
                log.append("\(stage.name): \(model.outcome!)")
                model.outcome = nil
                for effect in stage.effects { take(effect) }
                switch stage.end {
                case .value(let number): model.set("\(number)", isError: false)
                case .error(let number): model.set("error \(number)", isError: true)
                case .deferred(let other) where isDropped[other] || models[other].isGiven:
                    model.set("0", isError: false)
                case .deferred(let other): wait(model, for: models[other])
                }
            }
        }
        model.run()
    }

    private func wait(_ outer: Model, for inner: Model) {
        var next: Model? = inner
        while let model = next {
            if model === outer { return outer.set("circular", isError: true) }
            next = model.inner
        }
        inner.isGiven = true
        if inner.outcome != nil, inner.pauses == 0, !inner.isRunning, inner.stages.isEmpty {
            outer.set(inner.outcome!, isError: inner.isError)
            inner.set("void", isError: false)
        } else {
            outer.inner = inner
            inner.stages.append { inner in
                outer.inner = nil
                outer.set(inner.outcome!, isError: inner.isError)
                inner.set("void", isError: false)
                inner.wakes = outer
            }
        }
    }
}
