/// One callback in a chain: the closure, moved into two untyped words, and the type that knows how to run it.
///
/// A plain record without ownership of its own: who takes it out of the queue runs it or drops it, once. That, and
/// no box around closure or value, is what makes a callback cheap: no allocation of ours for it.
@usableFromInline struct DeferredStage: @unchecked Sendable {  // used by the chain that owns it
    @usableFromInline typealias Payload = (UInt, UInt)

    private let kind: any DeferredStageKind.Type
    private var payload: Payload = (0, 0)
    /// The values bound when the stage was added; one reference is ours.
    private var locals: Unmanaged<TaskLocalSnapshot>?
    let site: CallSite

    /// Takes over `content`, which `kind` expects and which fits two words.
    @inlinable init<Content>(
        _ kind: any DeferredStageKind.Type, _ content: Content, _ site: CallSite
    ) {
        self.init(kind, site)
        assert(MemoryLayout<Content>.size <= MemoryLayout<Payload>.size)
        withPayload { $0.initializeMemory(as: Content.self, to: content) }
    }

    @usableFromInline init(_ kind: any DeferredStageKind.Type, _ site: CallSite) {
        self.kind = kind
        self.site = site
    }

    @inline(__always) @usableFromInline mutating func withPayload(
        _ body: (UnsafeMutableRawPointer) -> Void
    ) {
        withUnsafeMutablePointer(to: &payload) { body(UnsafeMutableRawPointer($0)) }
    }

    /// Keeps the task-local values that are bound now.
    @ReactorActor mutating func captureTaskLocals() {
        // Given up in run(on:) or drop().
        if let snapshot = TaskLocalSnapshot.capture() { locals = .passRetained(snapshot) }
    }

    /// Runs the callback on the chain's outcome. Ends the record. Returns a chain that can go on now.
    @ReactorActor consuming func run(on chain: DeferredChain) -> DeferredChain? {
        let kind = kind
        var payload = payload
        guard let locals else {
            return withUnsafeMutablePointer(to: &payload) { kind.run($0, on: chain) }
        }
        var next: DeferredChain?
        // Retained in captureTaskLocals().
        locals.takeRetainedValue().run {
            next = withUnsafeMutablePointer(to: &payload) { kind.run($0, on: chain) }
        }
        return next
    }

    /// Releases what the record holds; the callback never runs. Any thread.
    consuming func drop() {
        let kind = kind
        var payload = payload
        withUnsafeMutablePointer(to: &payload) { kind.drop($0) }
        locals?.release()  // retained in captureTaskLocals()
    }
}

/// What a stage does with the closure in its payload. Both functions end the payload.
@usableFromInline protocol DeferredStageKind: SendableMetatype {
    /// Takes the chain's outcome and leaves another, or makes the chain wait. Returns a chain that can go on now.
    @ReactorActor static func run(_ payload: UnsafeMutableRawPointer, on chain: DeferredChain)
        -> DeferredChain?
    /// Releases the payload.
    static func drop(_ payload: UnsafeMutableRawPointer)
}

/// A kind whose payload is of a type it names.
@usableFromInline protocol TypedStageKind: DeferredStageKind {
    associatedtype Content
    @ReactorActor static func run(_ content: consuming Content, on chain: DeferredChain) -> DeferredChain?
}

extension TypedStageKind {
    @inlinable @ReactorActor static func run(
        _ payload: UnsafeMutableRawPointer, on chain: DeferredChain
    ) -> DeferredChain? {
        run(payload.assumingMemoryBound(to: Content.self).move(), on: chain)
    }

    @inlinable static func drop(_ payload: UnsafeMutableRawPointer) {
        payload.assumingMemoryBound(to: Content.self).deinitialize(count: 1)
    }
}

/// A closure as a stage keeps it. A struct, so that it is stored and read as the same function type.
@usableFromInline struct StageBody<Input, Output> {
    @usableFromInline let call: @ReactorActor (Input) throws -> Output
    @inlinable init(_ call: @escaping @ReactorActor (Input) throws -> Output) { self.call = call }
}

/// `addCallback`.
@usableFromInline enum CallbackStage<Input, Output>: TypedStageKind {
    @inlinable @ReactorActor static func run(
        _ body: consuming StageBody<Input, Output>, on chain: DeferredChain
    ) -> DeferredChain? {
        guard chain.content == .value else { return nil }  // errors pass by
        do { chain.put(try body.call(chain.take(Input.self))) } catch { chain.fail(error) }
        return nil
    }
}

/// `addCallback` with a closure that returns a Deferred.
@usableFromInline enum ChainingCallbackStage<Input, Output>: TypedStageKind {
    @inlinable @ReactorActor static func run(
        _ body: consuming StageBody<Input, Deferred<Output>>, on chain: DeferredChain
    ) -> DeferredChain? {
        guard chain.content == .value else { return nil }
        do {
            chain.wait(for: try body.call(chain.take(Input.self)).chain, Output.self)
        } catch { chain.fail(error) }
        return nil
    }
}

/// `addErrback`.
@usableFromInline enum ErrbackStage<Value>: TypedStageKind {
    @inlinable @ReactorActor static func run(
        _ body: consuming StageBody<any Error, Value>, on chain: DeferredChain
    ) -> DeferredChain? {
        guard chain.content == .failure else { return nil }  // values pass by
        do { chain.put(try body.call(chain.takeFailure())) } catch { chain.failAgain(error) }
        return nil
    }
}

/// `addErrback` with a closure that returns a Deferred.
@usableFromInline enum ChainingErrbackStage<Value>: TypedStageKind {
    @inlinable @ReactorActor static func run(
        _ body: consuming StageBody<any Error, Deferred<Value>>, on chain: DeferredChain
    ) -> DeferredChain? {
        guard chain.content == .failure else { return nil }
        do {
            chain.wait(for: try body.call(chain.takeFailure()).chain, Value.self)
        } catch { chain.failAgain(error) }
        return nil
    }
}

/// `addBoth`.
@usableFromInline enum BothStage<Input, Output>: TypedStageKind {
    @inlinable @ReactorActor static func run(
        _ body: consuming StageBody<Result<Input, any Error>, Output>, on chain: DeferredChain
    ) -> DeferredChain? {
        let wasFailure = chain.content == .failure
        do { chain.put(try body.call(chain.takeResult(Input.self))) } catch {
            if wasFailure { chain.failAgain(error) } else { chain.fail(error) }
        }
        return nil
    }
}

/// `addBoth` with a closure that returns a Deferred.
@usableFromInline enum ChainingBothStage<Input, Output>: TypedStageKind {
    @inlinable @ReactorActor static func run(
        _ body: consuming StageBody<Result<Input, any Error>, Deferred<Output>>, on chain: DeferredChain
    ) -> DeferredChain? {
        let wasFailure = chain.content == .failure
        do {
            chain.wait(for: try body.call(chain.takeResult(Input.self)).chain, Output.self)
        } catch {
            if wasFailure { chain.failAgain(error) } else { chain.fail(error) }
        }
        return nil
    }
}

/// Looks at the outcome and leaves it. A failure stays unhandled.
enum GlanceStage<Value>: TypedStageKind {
    static func run(
        _ body: consuming StageBody<Result<Value, any Error>, Void>, on chain: DeferredChain
    ) -> DeferredChain? {
        if let result = chain.peek(Value.self) { try? body.call(result) }  // observers have nothing to throw
        return nil
    }
}

/// Looks at the outcome and leaves it, but a failure counts as handled: `value`, which several tasks may await.
enum PeekStage<Value>: TypedStageKind {
    static func run(
        _ body: consuming StageBody<Result<Value, any Error>, Void>, on chain: DeferredChain
    ) -> DeferredChain? {
        chain.isFailureSeen = true
        return GlanceStage<Value>.run(body, on: chain)
    }
}

/// Hands the outcome to a chain whose callback returned this one, and keeps nothing.
@usableFromInline enum HandOverStage<Value>: TypedStageKind {
    @usableFromInline static func run(
        _ outer: consuming DeferredChain, on chain: DeferredChain
    ) -> DeferredChain? {
        outer.takeOver(from: chain, Value.self)
        return outer
    }
}
