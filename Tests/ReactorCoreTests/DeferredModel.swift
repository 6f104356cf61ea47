/// The rules of Twisted, as plainly as they can be put: by recursion, and freeing nothing.
final class DeferredModel {
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
    private var isDropped = [Bool](repeating: false, count: DeferredProgram.width)
    private let program: DeferredProgram

    init(_ program: DeferredProgram) {
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
                    let next = (index + 1) % DeferredProgram.width
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

    private func take(_ step: DeferredProgram.Step) {
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

    private func add(_ stage: DeferredProgram.Stage, to model: Model) {
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
