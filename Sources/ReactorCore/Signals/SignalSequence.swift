import DequeModule

/// Signals as they arrive: what `reactor.signals(…)` returns.
///
/// ```swift
/// for try await signal in try reactor.signals(SIGTERM, SIGINT) { … }
/// ```
/// Subscribed from its creation until it is released; signals that come between two iterations are kept. The
/// same signal sent twice before the loop looks may arrive once, as signals do. Iterated by one task at a
/// time.
@ReactorActor
public final class SignalSequence: AsyncSequence {
    /// A signal number.
    public typealias Element = Int32

    private let reactor: Reactor
    private let source: SignalSource
    private let listener: SignalSource.Listener
    private let arrivals: Arrivals

    /// Signals that nobody has asked for yet, and who waits for the next.
    @ReactorActor
    private final class Arrivals {
        private var received: Deque<Int32> = []
        private var waiter: Waiter<Void>?

        func add(_ number: Int32) {
            received.append(number)
            waiter?.resume(returning: ())
        }

        func next(on reactor: Reactor) async throws -> Int32 {
            if received.isEmpty {
                precondition(waiter?.isPending != true, "a signal sequence is iterated by two tasks at once")
                let waiter = Waiter<Void>(on: reactor, for: .signal)
                self.waiter = waiter
                defer { if self.waiter === waiter { self.waiter = nil } }
                try await waiter.wait()
            }
            return received.removeFirst()
        }
    }

    init(_ numbers: Set<Int32>, on reactor: Reactor) throws {
        self.reactor = reactor
        source = SignalSource.of(reactor)
        let arrivals = Arrivals()
        self.arrivals = arrivals
        listener = SignalSource.Listener(numbers) { arrivals.add($0) }
        try source.add(listener)
    }

    deinit {
        // Any thread, so not an isolated deinit: off the reactor's thread that would run on the shared
        // reactor.
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { source.remove(listener) }
        } else {
            reactor.callFromThread { [reactor, source, listener] in
                withExtendedLifetime(reactor) { source.remove(listener) }
            }
        }
    }

    /// An iterator; all iterators of one sequence share its signals.
    public nonisolated func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }

    /// Iterates the signals of a sequence.
    public struct Iterator: AsyncIteratorProtocol {
        let sequence: SignalSequence

        /// Parks the calling task until a signal arrives. Never nil.
        ///
        /// - Throws: `CancellationError` when the task is cancelled.
        @ReactorActor public mutating func next() async throws -> Int32? {
            try await sequence.arrivals.next(on: sequence.reactor)
        }
    }
}

extension Reactor {
    /// Subscribes to signals, which then no longer do what they do by default. Reactor only; never waits.
    ///
    /// Signals reach the reactor through signalfd(2), which needs them blocked: subscribe before starting
    /// threads of your own, which inherit the mask. Programs started meanwhile inherit it too.
    /// - Throws: `ReactorError` with code `systemCall` when signalfd fails, and for what no process can
    ///   receive (SIGKILL, SIGSTOP, numbers that are no signals).
    @ReactorActor public func signals(_ numbers: Int32...) throws -> SignalSequence {
        try SignalSequence(Set(numbers), on: self)
    }
}
