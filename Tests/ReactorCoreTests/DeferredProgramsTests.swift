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
            let program = DeferredProgram(using: &generator)
            let lives = Life.Count()
            let model = DeferredModel(program)
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

    @ReactorActor private static func run(_ program: DeferredProgram, _ lives: Life.Count) -> [String] {
        let world = RealWorld(program, lives)
        world.run()
        defer { world.deferreds = [] }
        return world.log
    }
}

/// A Deferred that has been returned from a callback carries Void; then its callbacks are added as such.
@ReactorActor private final class RealWorld {
    var deferreds: [Deferred<Int>?] = []
    var log: [String] = []
    private var pauses = [Int](repeating: 0, count: DeferredProgram.width)
    private let program: DeferredProgram
    private let lives: Life.Count

    init(_ program: DeferredProgram, _ lives: Life.Count) {
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
                case .fails: try? deferred.errback(ProgramError(number: -1))
                case .cancelsNext: deferreds[(index + 1) % DeferredProgram.width]?.cancel()
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
        case let error as ProgramError: "\(error)"
        case let error as DeferredError where error.code == .cancelled: "cancelled"
        case let error as DeferredError where error.code == .circularChain: "circular"
        default: "unexpected \(error)"
        }
    }

    private func take(_ step: DeferredProgram.Step) {
        switch step {
        case .add(let index, let stage): add(stage, to: index)
        case .fire(let index, let number):
            guard let deferred = deferreds[index] else { return }
            do { try deferred.callback(number) } catch { log.append("already \(index)") }
        case .fail(let index, let number):
            guard let deferred = deferreds[index] else { return }
            do { try deferred.errback(ProgramError(number: number)) } catch { log.append("already \(index)") }
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

    private func add(_ stage: DeferredProgram.Stage, to index: Int) {
        guard let deferred = deferreds[index] else { return }
        let life = Life(lives)
        if deferred.chain.valueType == Void.self {
            Deferred<Void>(deferred.chain).addBoth { [self] result -> Void in
                life.keep()
                log.append("\(stage.name): \(text(result))")
                if case .error(let number) = stage.end { throw ProgramError(number: number) }
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
            case .error(let number): throw ProgramError(number: number)
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
