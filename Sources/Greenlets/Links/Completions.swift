import DequeModule
public import ReactorCore

/// Things as they become ready, each once, first ready first: what `Greenlet.completions(of:)` returns. gevent's `iwait`.
///
/// An AsyncSequence for `async` code; synchronous code in a greenlet writes `while let greenlet = try completions.next()`.
/// When it is dropped or cancelled its links are taken back. Reactor only.
@ReactorActor
public final class Completions<Object: Sendable>: AsyncSequence {
    private var links: [ReadinessLink] = []
    private var ready = Deque<Object>()
    private let all: [any Waitable]
    /// How many are not ready yet.
    @exclusivity(unchecked) public private(set) var remainingCount = 0
    private let line = ParkingLine()
    private nonisolated let reactor: Reactor

    init(_ objects: some Sequence<Object>, as waitable: (Object) -> any Waitable) {
        reactor = .current
        let objects = Array(objects)
        all = objects.map(waitable)
        remainingCount = objects.count
        for (object, waitable) in zip(objects, all) {
            links.append(waitable.onReady { [weak self] in self?.isReady(object) })
        }
    }

    deinit {
        // Nobody else has a reference. An iteration that is left by a `break` ends here, on the reactor.
        let links = UncheckedBox(links)
        if reactor.isOnReactorThread {
            ReactorActor.assumeIsolated { links.value.forEach { $0.cancel() } }
        } else {
            reactor.callFromThread { links.value.forEach { $0.cancel() } }
        }
    }

    /// Takes the links back: what is not ready yet is no longer waited for, and the sequence ends. Never waits.
    public func cancel() {
        links.forEach { $0.cancel() }
        links = []
        remainingCount = 0
        line.openAll()
    }

    private func isReady(_ object: Object) {
        remainingCount -= 1
        ready.append(object)
        // Of several who wait, those behind have nothing to wait for when this was the last.
        if remainingCount == 0 { line.openAll() } else { line.openFirst() }
    }

    /// The next one to be ready; nil when there are no more. Parks the calling task until then. Who waits first gets the
    /// first.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; it has taken nothing then.
    public func next() async throws -> Object? { try await next(until: nil) }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func next() throws -> Object? { try Greenlet.inGreenlet { try next(until: nil) } }

    func next(until deadline: ReactorInstant?) async throws -> Object? {
        while true {
            if let object = ready.popFirst() { return object }
            guard let latch = nextLatch() else { return nil }
            let timer = deadline.map { self.expiry(of: latch, at: $0) }
            defer { timer?.cancelIfActive() }
            try await latch.waitUntilOpen()
            if timer?.isActive == false, ready.isEmpty { return nil }
        }
    }

    func next(until deadline: ReactorInstant?) throws -> Object? {
        while true {
            if let object = ready.popFirst() { return object }
            guard let latch = nextLatch() else { return nil }
            let timer = deadline.map { self.expiry(of: latch, at: $0) }
            defer { timer?.cancelIfActive() }
            try Greenlet.wait(for: latch)
            if timer?.isActive == false, ready.isEmpty { return nil }
        }
    }

    private func nextLatch() -> Latch? {
        guard remainingCount > 0 else { return nil }
        let latch = Latch(on: reactor, for: .subject(self))
        line.append(latch)
        return latch
    }

    private func expiry(of latch: Latch, at deadline: ReactorInstant) -> DelayedCall {
        reactor.callInternallyLater(reactor.now.duration(to: deadline)) { latch.open() }
    }

    /// An iterator; iterators of one sequence share what comes.
    public nonisolated func makeAsyncIterator() -> Iterator { Iterator(completions: self) }

    /// Takes what is ready until there is no more.
    public struct Iterator: AsyncIteratorProtocol {
        let completions: Completions

        /// The next one to be ready, or nil.
        ///
        /// - Throws: `CancellationError` when the task is cancelled.
        @ReactorActor public mutating func next() async throws -> Object? { try await completions.next() }
    }
}

extension Completions: WaitSubject {
    /// `one of 3 things to be ready`.
    public nonisolated var waitDescription: String {
        // Called on the reactor, as the protocol says; so is the next.
        ReactorActor.assumeIsolated { "one of \(remainingCount) things to be ready" }
    }

    /// The tasks that can make one of them ready, as far as that is known.
    public nonisolated var holders: [UInt] {
        ReactorActor.assumeIsolated {
            all.filter { !$0.isReady }.flatMap { ($0 as? any WaitSubject)?.holders ?? [] }
        }
    }
}
