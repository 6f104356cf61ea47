/// One callback in a chain: the user's closure, moved into untyped words, and the code that knows its type.
///
/// A plain record without ownership of its own: who takes it out of the queue runs it or drops it, once. That, and
/// no box around closure or value, is what makes a callback cheap: no allocation of ours for it. (Conformances of a
/// generic type as the second half cost three times as much: their witnesses are never specialised. A closure that
/// captures nothing is, and needs no context.)
@usableFromInline struct DeferredStage: @unchecked Sendable {  // used by the chain that owns it
    /// Takes the chain's outcome and leaves another, or makes the chain wait. Ends the body. Returns a chain that can
    /// go on now.
    @usableFromInline typealias Runner =
        @Sendable @ReactorActor (_ body: UnsafeMutableRawPointer, DeferredChain) -> DeferredChain?

    /// A closure: a code pointer and a context.
    @usableFromInline var runner: (UInt, UInt) = (0, 0)
    @usableFromInline var body: (UInt, UInt) = (0, 0)
    /// The snapshot of the values bound when the stage was added; one reference is ours.
    @usableFromInline var locals: UnsafeMutableRawPointer?
    @usableFromInline var site: CallSite

    /// Nothing: a place in a queue.
    init() { site = CallSite(text: nil, 0) }

    /// Takes over `body`, which `runner` expects.
    @inlinable init<Input, Output>(
        _ body: StageBody<Input, Output>, _ site: CallSite, _ runner: @escaping Runner
    ) {
        self.site = site
        withUnsafeMutablePointer(to: &self.runner) {
            _ = UnsafeMutableRawPointer($0).initializeMemory(as: RunnerHolder.self, to: RunnerHolder(runner))
        }
        withUnsafeMutablePointer(to: &self.body) {
            _ = UnsafeMutableRawPointer($0).initializeMemory(as: StageBody<Input, Output>.self, to: body)
        }
    }

    /// A struct, so that the closure is stored and read as the same function type.
    @usableFromInline struct RunnerHolder {
        @usableFromInline let run: Runner
        @inlinable init(_ run: @escaping Runner) { self.run = run }
    }

    /// Takes the runner out of the record.
    @inline(__always) private func takeRunner() -> Runner {
        var runner = runner
        return withUnsafeMutablePointer(to: &runner) {
            UnsafeMutableRawPointer($0).assumingMemoryBound(to: RunnerHolder.self).move().run
        }
    }

    /// Keeps the task-local values that are bound now.
    @ReactorActor mutating func captureTaskLocals() {
        // Given up in run(on:) or drop().
        if let snapshot = TaskLocalSnapshot.capture() { locals = Unmanaged.passRetained(snapshot).toOpaque() }
    }

    /// Runs the callback on the chain's outcome. Ends the record. Returns a chain that can go on now.
    @ReactorActor @inline(__always) func run(on chain: DeferredChain) -> DeferredChain? {
        let runner = takeRunner()
        var body = body
        guard let locals else { return runner(&body, chain) }
        return Self.run(runner, &body, chain, locals)
    }

    @ReactorActor @inline(never) private static func run(
        _ runner: Runner, _ body: UnsafeMutableRawPointer, _ chain: DeferredChain,
        _ locals: UnsafeMutableRawPointer
    ) -> DeferredChain? {
        var next: DeferredChain?
        // Retained in captureTaskLocals().
        Unmanaged<TaskLocalSnapshot>.fromOpaque(locals).takeRetainedValue().run { next = runner(body, chain) }
        return next
    }

    /// Releases what the record holds; the callback never runs. Any thread.
    func drop() {
        _ = takeRunner()
        var body = body
        // Whatever the closure's type, to release it is to release its context.
        withUnsafeMutablePointer(to: &body) {
            _ = UnsafeMutableRawPointer($0).assumingMemoryBound(to: StageBody<Void, Void>.self)
                .deinitialize(count: 1)
        }
        // Retained in captureTaskLocals().
        if let locals { Unmanaged<TaskLocalSnapshot>.fromOpaque(locals).release() }
    }
}

/// A closure as a stage keeps it. A struct, so that it is stored and read as the same function type.
@usableFromInline struct StageBody<Input, Output> {
    @usableFromInline let call: @ReactorActor (Input) throws -> Output
    @inlinable init(_ call: @escaping @ReactorActor (Input) throws -> Output) { self.call = call }

    /// Takes one out of a record.
    @inlinable static func take(_ address: UnsafeMutableRawPointer) -> Self {
        address.assumingMemoryBound(to: Self.self).move()
    }
}
