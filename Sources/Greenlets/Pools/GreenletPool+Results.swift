import ReactorCore

extension GreenletPool {
    // MARK: In the order of the inputs

    /// Runs `body` on each input, in greenlets of the pool; the results come in the order of the inputs. gevent's imap.
    ///
    /// Inputs are taken one by one, as slots come free. A result that is an error is thrown in its turn; the others
    /// come all the same. Called and read by a member of the pool it uses that member's slot, for one input at a
    /// time.
    /// - Parameters:
    ///   - inputs: any sequence, an endless one too.
    ///   - maxBuffered: how many inputs may be started and not read; nil for any number.
    ///   - body: what to make of an input.
    /// - Precondition: `maxBuffered` is at least one.
    public func results<Inputs: Sequence, Output: Sendable>(
        of inputs: Inputs, maxBuffered: Int? = nil,
        _ body: @escaping @ReactorActor (Inputs.Element) async throws -> Output
    ) -> GreenletResults<Output> {
        makeResults(.ofInput, maxBuffered) {
            Self.launches(of: inputs) { input in Greenlet.spawn { try await body(input) } }
        }
    }

    /// As with an `async` body.
    public func results<Inputs: Sequence, Output: Sendable>(
        of inputs: Inputs, maxBuffered: Int? = nil,
        _ body: @escaping @ReactorActor (Inputs.Element) throws -> Output
    ) -> GreenletResults<Output> {
        makeResults(.ofInput, maxBuffered) {
            Self.launches(of: inputs) { input in Greenlet.spawn { try body(input) } }
        }
    }

    /// As with a `Sequence`; an error of the inputs comes after the results of all inputs before it.
    public func results<Inputs: AsyncSequence & Sendable, Output: Sendable>(
        of inputs: Inputs, maxBuffered: Int? = nil,
        _ body: @escaping @ReactorActor (Inputs.Element) async throws -> Output
    ) -> GreenletResults<Output> where Inputs.Element: Sendable {
        makeResults(.ofInput, maxBuffered) {
            Self.launches(of: inputs) { input in Greenlet.spawn { try await body(input) } }
        }
    }

    /// As with a `Sequence`; an error of the inputs comes after the results of all inputs before it.
    public func results<Inputs: AsyncSequence & Sendable, Output: Sendable>(
        of inputs: Inputs, maxBuffered: Int? = nil,
        _ body: @escaping @ReactorActor (Inputs.Element) throws -> Output
    ) -> GreenletResults<Output> where Inputs.Element: Sendable {
        makeResults(.ofInput, maxBuffered) {
            Self.launches(of: inputs) { input in Greenlet.spawn { try body(input) } }
        }
    }

    // MARK: As they come

    /// As `results(of:maxBuffered:_:)`, but the results come as the greenlets end. gevent's imap_unordered.
    public func unorderedResults<Inputs: Sequence, Output: Sendable>(
        of inputs: Inputs, maxBuffered: Int? = nil,
        _ body: @escaping @ReactorActor (Inputs.Element) async throws -> Output
    ) -> GreenletResults<Output> {
        makeResults(.ofEnd, maxBuffered) {
            Self.launches(of: inputs) { input in Greenlet.spawn { try await body(input) } }
        }
    }

    /// As with an `async` body.
    public func unorderedResults<Inputs: Sequence, Output: Sendable>(
        of inputs: Inputs, maxBuffered: Int? = nil,
        _ body: @escaping @ReactorActor (Inputs.Element) throws -> Output
    ) -> GreenletResults<Output> {
        makeResults(.ofEnd, maxBuffered) {
            Self.launches(of: inputs) { input in Greenlet.spawn { try body(input) } }
        }
    }

    /// As with a `Sequence`; an error of the inputs comes last.
    public func unorderedResults<Inputs: AsyncSequence & Sendable, Output: Sendable>(
        of inputs: Inputs, maxBuffered: Int? = nil,
        _ body: @escaping @ReactorActor (Inputs.Element) async throws -> Output
    ) -> GreenletResults<Output> where Inputs.Element: Sendable {
        makeResults(.ofEnd, maxBuffered) {
            Self.launches(of: inputs) { input in Greenlet.spawn { try await body(input) } }
        }
    }

    /// As with a `Sequence`; an error of the inputs comes last.
    public func unorderedResults<Inputs: AsyncSequence & Sendable, Output: Sendable>(
        of inputs: Inputs, maxBuffered: Int? = nil,
        _ body: @escaping @ReactorActor (Inputs.Element) throws -> Output
    ) -> GreenletResults<Output> where Inputs.Element: Sendable {
        makeResults(.ofEnd, maxBuffered) {
            Self.launches(of: inputs) { input in Greenlet.spawn { try body(input) } }
        }
    }

    // MARK: All at once

    /// Runs `body` on each input, in greenlets of the pool, and returns the results in the order of the inputs; parks
    /// the calling task until all have ended.
    ///
    /// Called by a member of the pool it uses that member's slot, for one input at a time.
    /// - Throws: the first error of a greenlet; `CancellationError` when the calling task is cancelled. No more
    ///   inputs are taken then, and the greenlets under way are killed.
    public func map<Inputs: Sequence, Output: Sendable>(
        _ inputs: Inputs, _ body: @escaping @ReactorActor (Inputs.Element) async throws -> Output
    ) async throws -> [Output] {
        try await collect { Self.launches(of: inputs) { input in Greenlet.spawn { try await body(input) } } }
    }

    /// As with an `async` body.
    public func map<Inputs: Sequence, Output: Sendable>(
        _ inputs: Inputs, _ body: @escaping @ReactorActor (Inputs.Element) throws -> Output
    ) async throws -> [Output] {
        try await collect { Self.launches(of: inputs) { input in Greenlet.spawn { try body(input) } } }
    }

    /// As the `async` form, for synchronous code in a greenlet, with bodies that are synchronous too.
    public nonisolated func map<Inputs: Sequence, Output: Sendable>(
        _ inputs: Inputs, _ body: @escaping @ReactorActor (Inputs.Element) throws -> Output
    ) throws -> [Output] {
        // It is this reactor's thread, or the call throws: the inputs leave nobody's isolation.
        let inputs = UncheckedBox(inputs)
        return try Greenlet.blockingCall {
            try await self.collect {
                Self.launches(of: inputs.value) { input in Greenlet.spawn { try body(input) } }
            }
        }
    }

    /// `map` in a greenlet of its own, which has the results. Never waits. gevent's map_async.
    public func mapLater<Inputs: Sequence, Output: Sendable>(
        _ inputs: Inputs, _ body: @escaping @ReactorActor (Inputs.Element) async throws -> Output
    ) -> Greenlet<[Output]> {
        Greenlet.spawn { () async throws -> [Output] in try await self.map(inputs, body) }
    }

    /// As with an `async` body.
    public func mapLater<Inputs: Sequence, Output: Sendable>(
        _ inputs: Inputs, _ body: @escaping @ReactorActor (Inputs.Element) throws -> Output
    ) -> Greenlet<[Output]> {
        Greenlet.spawn { () async throws -> [Output] in try await self.map(inputs, body) }
    }

    private func collect<Output: Sendable>(
        _ inputs: @escaping @ReactorActor () -> ResultFeed<Output>.Inputs
    ) async throws -> [Output] {
        let iterator = makeResults(.ofInputUntilError, nil, inputs).makeAsyncIterator()
        var outputs: [Output] = []
        while let output = try await iterator.next() { outputs.append(output) }
        return outputs
    }

    // MARK: Inputs

    private func makeResults<Output: Sendable>(
        _ order: ResultOrder, _ maxBuffered: Int?,
        _ inputs: @escaping @ReactorActor () -> ResultFeed<Output>.Inputs
    ) -> GreenletResults<Output> {
        precondition(
            maxBuffered ?? 1 > 0,
            "maxBuffered: \(maxBuffered ?? 0): at least one result must have room; nil for any number")
        return GreenletResults { ResultFeed(self, order, maxBuffered: maxBuffered, inputs()) }
    }

    private static func launches<Inputs: Sequence, Output: Sendable>(
        of inputs: Inputs, _ launch: @escaping @ReactorActor (Inputs.Element) -> Greenlet<Output>
    ) -> ResultFeed<Output>.Inputs {
        var iterator = inputs.makeIterator()
        return {
            guard let input = iterator.next() else { return nil }
            return { launch(input) }
        }
    }

    private static func launches<Inputs: AsyncSequence & Sendable, Output: Sendable>(
        of inputs: Inputs, _ launch: @escaping @ReactorActor (Inputs.Element) -> Greenlet<Output>
    ) -> ResultFeed<Output>.Inputs where Inputs.Element: Sendable {
        // Used by the producer alone, one step after the other.
        nonisolated(unsafe) var iterator = inputs.makeAsyncIterator()
        return {
            guard let input = try await iterator.next(isolation: ReactorActor.shared) else { return nil }
            return { launch(input) }
        }
    }
}
