import ConnectionPools
import Greenlets
import PostgresValues
public import ReactorCore

extension PostgresPool {
    /// Listens to channels. Parks the calling task until the server listens: what is sent after this call has returned
    /// arrives, in the order of its commits.
    ///
    /// ```swift
    /// for try await event in try await pool.listen("orders") {
    ///     if let message = event.notification { print(message.payload) }
    /// }
    /// ```
    /// All who listen share one connection of the pool's own, beside its `maximum`; it is made when needed and let go ten seconds
    /// after the last has left. When it is lost it is made again, with pauses of 0.4 s at most for as long as it takes
    /// (`hooks.configure` is asked before each), its channels are listened to again, and then everybody gets `.reconnected`. A
    /// server that has been silent for `listenerKeepAlive` is asked whether it is there, so a cut network counts as a loss, too.
    /// Closing the pool ends the sequence.
    /// - Parameters:
    ///   - channels: their names, exactly: `LISTEN orders` in SQL is "orders".
    ///   - buffer: events kept for a slow consumer; see `PostgresNotificationEvents`.
    /// - Throws: `PostgresError`: `poolClosed`; `connectFailed` when trying again cannot help; `acquireTimedOut` when the server does not
    ///   listen within the pool's `acquireTimeout`; `server` when it refuses LISTEN, as a standby does: who was listening before
    ///   waits until one does not. `PostgresValueError(.invalidIdentifier)` for a name that is empty or longer than 63 bytes.
    ///   `CancellationError`.
    public func listen(_ channels: String..., buffer: Int = 1024) async throws -> PostgresNotificationEvents {
        try await listen(to: channels, buffer: buffer)
    }

    /// As the `async` form, for synchronous code in a greenlet: `while let event = try events.next() { … }`.
    public nonisolated func listen(_ channels: String..., buffer: Int = 1024) throws
        -> PostgresNotificationEvents
    {
        try Greenlet.blockingCall { try await self.listen(to: channels, buffer: buffer) }
    }

    // Disfavoured, as all forms that take a synchronous body.
    /// Listens, and runs `body` with each event, for synchronous code in a greenlet. Returns when the pool is closed; kill the
    /// greenlet to leave.
    ///
    /// ```swift
    /// let listener = Greenlet.spawn { () throws in try pool.listen("orders") { event in print(event) } }
    /// ```
    /// - Throws: what `body` throws; as the `async` form.
    @_disfavoredOverload
    public nonisolated func listen(
        _ channels: String..., buffer: Int = 1024, _ body: (PostgresNotificationEvent) throws -> Void
    ) throws {
        let events = try Greenlet.blockingCall { try await self.listen(to: channels, buffer: buffer) }
        while let event = try events.next() { try body(event) }
    }

    /// Calls `handler` with each event, from the reactor, until the subscription is cancelled or the pool closed. Never waits: the server
    /// listens soon, at the latest when it can be reached again.
    ///
    /// - Parameters:
    ///   - channels: as of `listen`.
    ///   - buffer: events kept while `handler` waits.
    ///   - onEnd: called once when no more will come: with nil when the pool was closed or the subscription cancelled, else with
    ///     what `listen` throws.
    ///   - handler: runs one event after the other.
    @discardableResult
    public func subscribe(
        _ channels: String..., buffer: Int = 1024,
        onEnd: @escaping @ReactorActor @Sendable ((any Error)?) -> Void = { _ in },
        _ handler: @escaping @ReactorActor @Sendable (PostgresNotificationEvent) async -> Void
    ) -> PostgresSubscription {
        do {
            let (events, _) = try subscription(to: channels, buffer: buffer)
            _ = Reactor.current.startTask {
                do {
                    while let event = try await events.next() { await handler(event) }
                    onEnd(nil)
                } catch {
                    onEnd(error)
                }
            }
            return PostgresSubscription(events)
        } catch {
            _ = Reactor.current.startTask { onEnd(error) }
            return PostgresSubscription(nil)
        }
    }

    private func listen(to channels: [String], buffer: Int) async throws -> PostgresNotificationEvents {
        try Task.checkCancellation()
        let (events, subscriber) = try subscription(to: channels, buffer: buffer)
        let limit = options.acquireTimeout
        let timer = Reactor.current.callLater(max(.zero, limit)) { [self] in
            let cause = listener?.lastFailure
            subscriber.ready.resume(
                throwing: PostgresError(
                    .acquireTimedOut,
                    "pool \"\(options.label)\" could not listen within \(limit)"
                        + (cause.map { "; the last connect failed: \($0)" } ?? ""), underlying: cause))
        }
        defer { timer.cancelIfActive() }
        do {
            try await subscriber.ready.wait()
            return events
        } catch {
            events.close()
            throw error
        }
    }

    private func subscription(to channels: [String], buffer: Int) throws
        -> (PostgresNotificationEvents, ListenerSubscriber)
    {
        guard !channels.isEmpty else {
            throw PostgresError(.invalidConfiguration, "listen was called without a channel")
        }
        for channel in channels {
            // The server cuts a longer name, and messages would come under the short one.
            guard !channel.isEmpty, channel.utf8.count < 64, !channel.utf8.contains(0) else {
                throw PostgresValueError(
                    .invalidIdentifier,
                    "\"\(channel)\" cannot be a channel: names have 1 to 63 bytes and no U+0000")
            }
        }
        adoptIfForked()
        guard !machine.isShutDown else { throw refusal(.closed) }
        let limits = machine.limits
        let listener =
            self.listener
            ?? PostgresListener(
                configuration, label: options.label, logger: options.logger,
                keepAlive: options.listenerKeepAlive.map { ($0, options.checkTimeout) },
                backoff: { failures in
                    limits.backoff(
                        afterFailures: failures, isAwaited: true, jitter: Double.random(in: -1...1))
                },
                // Weak: the listener is the pool's own.
                configure: { [weak self, configuration] in
                    try await self?.configurationForConnect() ?? configuration
                })
        self.listener = listener
        let events = PostgresNotificationEvents(limit: buffer)
        // Weak: the sequence is left when its consumer drops it.
        let subscriber = ListenerSubscriber(
            Set(channels), receive: { [weak events] in events?.push($0) },
            end: { [weak events] in events?.end(throwing: $0) })
        events.start { listener.remove(subscriber) }
        listener.add(subscriber)
        return (events, subscriber)
    }
}

/// A handler of notifications that has been added; see `PostgresPool.subscribe`. Dropping it changes nothing.
@ReactorActor
public final class PostgresSubscription {
    private weak var events: PostgresNotificationEvents?

    init(_ events: PostgresNotificationEvents?) { self.events = events }

    /// Takes the handler away; one that runs is not interrupted, and events in the buffer are not delivered. Never waits.
    /// Cancelling twice does nothing.
    public func cancel() {
        events?.discard()
        events?.close()
    }
}
