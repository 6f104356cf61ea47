import ReactorCore

extension Greenlet where Value == Never {
    /// The greenlets as they end: first those that have ended already, in the order given, then the others, first ended
    /// first. gevent's `iwait`. Never waits.
    ///
    /// ```swift
    /// for try await page in Greenlet.completions(of: pages) { show(try page.result!.get()) }
    /// ```
    /// Leaving the loop, or dropping the sequence, unlinks it from those that have not ended. Their errors count as received
    /// while it lives.
    public static func completions<Member: AnyGreenlet>(
        of greenlets: some Sequence<Member>
    ) -> Completions<Member> {
        Completions(greenlets) { $0 }
    }

    /// As for greenlets alone, for things of any kinds.
    public static func completions(of objects: [any Waitable]) -> Completions<any Waitable> {
        Completions(objects) { $0 }
    }

    /// Parks the calling task until `count` of `objects` are ready (all, by default), or `timeout` is over. Returns those that
    /// are, first ready first: fewer than `count` when the time was over. gevent's `wait`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public static func wait(
        for objects: [any Waitable], timeout: Duration? = nil, count: Int? = nil
    ) async throws -> [any Waitable] {
        let completions = completions(of: objects)
        defer { completions.cancel() }
        return try await collect(completions, timeout, count) { _ in }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated static func wait(
        for objects: [any Waitable], timeout: Duration? = nil, count: Int? = nil
    ) throws -> [any Waitable] {
        try inGreenlet {
            let completions = completions(of: objects)
            defer { completions.cancel() }
            return try collect(completions, timeout, count) { _ in }
        }
    }

    /// Parks the calling task until `count` of `greenlets` have ended (all, by default), or `timeout` is over. Returns those
    /// that have, first ended first; fewer than `count` when the time was over. gevent's `joinall`.
    ///
    /// Those that had ended before come first, in the order given.
    /// - Parameter throwingErrors: whether the first failure ends the wait at once; the others then go on.
    /// - Throws: with `throwingErrors` the error of the greenlet that failed first, whatever its place in the list; killed by
    ///   `GreenletExit` is not failed. `GreenletError` with code `waitsForItself` when the caller is one of them.
    ///   `CancellationError` when the task is cancelled.
    @discardableResult
    public static func joinAll<Member: AnyGreenlet>(
        _ greenlets: some Sequence<Member>, timeout: Duration? = nil, throwingErrors: Bool = false,
        count: Int? = nil
    ) async throws -> [Member] {
        let greenlets = Array(greenlets)
        for greenlet in greenlets { try greenlet.checkIsNotCaller() }
        let completions = completions(of: greenlets)
        defer { completions.cancel() }
        return try await collect(completions, timeout, count) {
            if throwingErrors { try $0.throwIfFailed() }
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated static func joinAll<Member: AnyGreenlet>(
        _ greenlets: some Sequence<Member> & Sendable, timeout: Duration? = nil, throwingErrors: Bool = false,
        count: Int? = nil
    ) throws -> [Member] {
        try inGreenlet {
            let greenlets = Array(greenlets)
            for greenlet in greenlets { try greenlet.checkIsNotCaller() }
            let completions = completions(of: greenlets)
            defer { completions.cancel() }
            return try collect(completions, timeout, count) {
                if throwingErrors { try $0.throwIfFailed() }
            }
        }
    }

    /// Asks all `greenlets` to end, as `cancel(throwing:)`, and returns at once; gevent's `killall(block=False)`. Never waits.
    public static func cancelAll(
        _ greenlets: some Sequence<AnyGreenlet>, throwing error: any Error = GreenletExit()
    ) {
        for greenlet in Array(greenlets) { greenlet.cancel(throwing: error) }
    }

    /// Asks all `greenlets` to end, then parks the calling task until they have. gevent's `killall`.
    ///
    /// Those whose body has not begun never run. The caller may be one of them; it does not wait for itself.
    /// - Throws: `GreenletError` with code `timedOut` when `timeout` is over, naming those that live on; `CancellationError` when
    ///   the task is cancelled meanwhile.
    public static func killAll(
        _ greenlets: some Sequence<AnyGreenlet>, throwing error: any Error = GreenletExit(),
        timeout: Duration? = nil
    ) async throws {
        let others = cancelAllButCaller(greenlets, throwing: error)
        try await joinAll(others, timeout: timeout)
        try checkHaveEnded(others, timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated static func killAll(
        _ greenlets: some Sequence<AnyGreenlet> & Sendable, throwing error: any Error = GreenletExit(),
        timeout: Duration? = nil
    ) throws {
        try inGreenlet {
            let others = cancelAllButCaller(greenlets, throwing: error)
            try joinAll(others, timeout: timeout)
            try checkHaveEnded(others, timeout)
        }
    }

    // MARK: Parts of both forms

    private static func collect<Object>(
        _ completions: Completions<Object>, _ timeout: Duration?, _ count: Int?,
        _ check: @ReactorActor (Object) throws -> Void
    ) async throws -> [Object] {
        let deadline = timeout.map { Reactor.current.now.advanced(by: $0) }
        var done: [Object] = []
        while done.count < count ?? .max, let object = try await completions.next(until: deadline) {
            try check(object)
            done.append(object)
        }
        return done
    }

    private static func collect<Object>(
        _ completions: Completions<Object>, _ timeout: Duration?, _ count: Int?,
        _ check: @ReactorActor (Object) throws -> Void
    ) throws -> [Object] {
        let deadline = timeout.map { Reactor.current.now.advanced(by: $0) }
        var done: [Object] = []
        while done.count < count ?? .max, let object = try completions.next(until: deadline) {
            try check(object)
            done.append(object)
        }
        return done
    }

    private static func cancelAllButCaller(
        _ greenlets: some Sequence<AnyGreenlet>, throwing error: any Error
    ) -> [AnyGreenlet] {
        let greenlets = Array(greenlets)
        cancelAll(greenlets, throwing: error)
        return greenlets.filter { !$0.isRunByCaller }
    }

    private static func checkHaveEnded(
        _ greenlets: [AnyGreenlet], _ timeout: Duration?
    ) throws(GreenletError) {
        let alive = greenlets.filter { !$0.isReady }
        guard !alive.isEmpty else { return }
        let names = alive.prefix(10).map { "\"\($0.name)\"" }.joined(separator: ", ")
        throw GreenletError(
            .timedOut,
            """
            \(alive.count) of \(greenlets.count) killed greenlets have not ended within \
            \(timeout.map { "\($0)" } ?? "no time"): \(names)\(alive.count > 10 ? ", …" : "")
            """)
    }
}

extension AnyGreenlet {
    fileprivate final func throwIfFailed() throws {
        if let failure, !(failure is GreenletExit) { throw failure }
    }
}
