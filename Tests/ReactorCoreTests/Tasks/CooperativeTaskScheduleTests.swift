import ReactorCore
import ReactorTesting
import Testing

@Suite struct CooperativeTaskScheduleTests {
    /// Tasks that are paused, resumed, stopped and made to wait at random make the same steps in the same order as a
    /// model that keeps plain lists.
    @Test(arguments: 0..<20)
    func randomSchedulesAreThoseOfTheModel(run: Int) async throws {
        let seed = UInt64.random(in: 0...(.max))
        try await withReactor(clock: ManualClock()) { reactor in
            var random = SeededGenerator(seed: seed)
            let cooperator = Cooperator(on: reactor, isStarted: false, timeSlice: .zero)
            let model = Model()
            var log: [Int] = []
            var tasks: [CooperativeTask] = []
            var waits: [Int: Deferred<Int>] = [:]
            for name in 0..<6 {
                let steps = AnyIterator<Deferred<Int>?> {
                    guard model.hasStepLeft(name) else { return nil }
                    log.append(name)
                    guard model.nextStepWaits(name) else { return .some(nil) }
                    let wait = Deferred<Int>()
                    waits[name] = wait
                    return wait
                }
                tasks.append(cooperator.cooperate(steps))
                let plan = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    Int.random(in: 0..<3, using: &random) == 0
                }
                model.add(plan)
            }
            cooperator.start()
            for _ in 0..<200 {
                let name = Int.random(in: 0..<6, using: &random)
                switch Int.random(in: 0..<20, using: &random) {
                case 0..<3:
                    let isRefused = (try? tasks[name].pause()) == nil
                    #expect(isRefused == !model.pause(name), "seed \(seed)")
                case 3..<6:
                    let isRefused = (try? tasks[name].resume()) == nil
                    #expect(isRefused == !model.resume(name), "seed \(seed)")
                case 6..<11:
                    try waits.removeValue(forKey: name)?.callback(name)
                    model.endWait(name)
                case 11 where name == 5:
                    let isRefused = (try? tasks[name].stop()) == nil
                    #expect(isRefused == !model.stop(name), "seed \(seed)")
                default: break
                }
                await reactor.makeTurns(1)
                model.step()
                #expect(log == model.log, "seed \(seed)")
                guard log == model.log else { break }
            }
            #expect(tasks.map(\.isDone) == model.isDone, "seed \(seed)")
            cooperator.stop()
        }
    }

    /// One step a turn, by lists.
    @ReactorActor private final class Model {
        private(set) var log: [Int] = []
        private(set) var isDone: [Bool] = []
        private var plans: [ArraySlice<Bool>] = []
        private var pauses: [Int] = []
        private var waiting: [Bool] = []
        private var line: [Int] = []
        /// What the real iterator asks, a step ahead of the model.
        private var asked: [ArraySlice<Bool>] = []

        func add(_ plan: [Bool]) {
            line.append(plans.count)
            plans.append(plan[...])
            asked.append(plan[...])
            pauses.append(0)
            waiting.append(false)
            isDone.append(false)
        }

        func hasStepLeft(_ name: Int) -> Bool { !asked[name].isEmpty }
        func nextStepWaits(_ name: Int) -> Bool { asked[name].removeFirst() }

        func pause(_ name: Int) -> Bool {
            guard !isDone[name] else { return false }
            pauses[name] += 1
            line.removeAll { $0 == name }
            return true
        }

        func resume(_ name: Int) -> Bool {
            guard pauses[name] > 0 else { return false }
            pauses[name] -= 1
            lineUp(name)
            return true
        }

        func endWait(_ name: Int) {
            guard waiting[name] else { return }
            waiting[name] = false
            lineUp(name)
        }

        func stop(_ name: Int) -> Bool {
            guard !isDone[name] else { return false }
            isDone[name] = true
            line.removeAll { $0 == name }
            return true
        }

        private func lineUp(_ name: Int) {
            if !isDone[name], pauses[name] == 0, !waiting[name], !line.contains(name) { line.append(name) }
        }

        func step() {
            guard !line.isEmpty else { return }
            let name = line.removeFirst()
            guard !plans[name].isEmpty else {
                isDone[name] = true
                return
            }
            log.append(name)
            waiting[name] = plans[name].removeFirst()
            lineUp(name)
        }
    }
}
