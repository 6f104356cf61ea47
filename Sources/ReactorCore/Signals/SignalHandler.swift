/// A subscription to a signal by callback: what `reactor.onSignal(…)` returns, to end it.
///
/// Dropping it does not end the subscription. Reactor only. Follows gevent's `signal_handler`.
@ReactorActor
public final class SignalHandler {
    private let source: SignalSource
    private var listener: SignalSource.Listener?

    init(
        _ number: Int32, on reactor: Reactor, isInternal: Bool = false,
        _ receive: @escaping @ReactorActor (Int32) -> Void
    ) throws {
        source = SignalSource.of(reactor)
        let listener = SignalSource.Listener([number], isInternal: isInternal, receive)
        try source.add(listener)
        self.listener = listener
    }

    /// Whether the handler is still called.
    public var isActive: Bool { listener != nil }

    /// Ends the subscription; the handler is not called again, not even for a signal that has come and was
    /// not looked at yet. Never waits. A second call does nothing.
    ///
    /// The signal does again what it did before, unless somebody else is subscribed to it.
    public func cancel() {
        guard let listener = listener.take() else { return }
        source.remove(listener)
    }
}

extension Reactor {
    /// Calls `handler` with the signal's number each time `number` arrives, until `cancel()`. Reactor only;
    /// never waits.
    ///
    /// ```swift
    /// try reactor.onSignal(SIGTERM) { _ in try reactor.stop() }
    /// ```
    /// Handlers and the sequences of `signals(…)` are served in the order in which they subscribed. An error
    /// goes to `onUncaughtError` with the place of this call, and the handler stays. Otherwise as
    /// `signals(…)`.
    /// - Throws: `ReactorError` with code `systemCall` when signalfd fails, and for what no process can
    ///   receive (SIGKILL, SIGSTOP, numbers that are no signals).
    @ReactorActor @discardableResult
    public func onSignal(
        _ number: Int32, _ handler: @escaping @ReactorActor (Int32) throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) throws -> SignalHandler {
        let site = CallSite(file, line)
        // A handler is called with what it subscribed to.
        let call: QueuedCall = { try handler(number) }
        return try SignalHandler(number, on: self) { [unowned self] _ in
            attempt("the handler of signal \(number) added at \(site)", call)
        }
    }

    /// Runs `handler` as a task on the reactor each time `number` arrives, beside those of earlier signals
    /// that have not ended. As above.
    @ReactorActor @discardableResult
    public func onSignal(
        _ number: Int32, _ handler: @escaping @Sendable @ReactorActor (Int32) async throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) throws -> SignalHandler {
        let site = CallSite(file, line)
        let call: QueuedCall = { [unowned self] in
            _ = startTask { [self] in
                do { try await handler(number) } catch {
                    onUncaughtError(error, "the handler of signal \(number) added at \(site)")
                }
            }
        }
        return try SignalHandler(number, on: self) { [unowned self] _ in
            attempt("the handler of signal \(number) added at \(site)", call)
        }
    }
}
