import ReactorCore

extension Greenlet where Value == Never {
    /// Parks the calling task until every other greenlet of the reactor has ended, those spawned meanwhile included, or
    /// `timeout` is over. Whether they have. gevent's `wait()` without arguments, for programs that end with their greenlets.
    ///
    /// Greenlets alone count: neither timers and descriptors, nor greenlets that are to start later. Their errors go where they
    /// would go. Of two greenlets that wait so, each waits for the other.
    /// - Throws: `CancellationError` when the task is cancelled.
    @discardableResult
    public static func waitForAll(timeout: Duration? = nil) async throws -> Bool {
        let deadline = timeout.map { Reactor.current.now.advanced(by: $0) }
        while let others = Others() {
            let timer = deadline.map { others.giveUp(at: $0) }
            defer {
                timer?.cancelIfActive()
                others.forget()
            }
            try await others.latch.waitUntilOpen()
            if others.remainingCount > 0 { return false }
        }
        return true
    }

    /// As the `async` form, for synchronous code in a greenlet.
    @discardableResult
    public nonisolated static func waitForAll(timeout: Duration? = nil) throws -> Bool {
        try inGreenlet {
            let deadline = timeout.map { Reactor.current.now.advanced(by: $0) }
            while let others = Others() {
                let timer = deadline.map { others.giveUp(at: $0) }
                defer {
                    timer?.cancelIfActive()
                    others.forget()
                }
                try wait(for: others.latch)
                if others.remainingCount > 0 { return false }
            }
            return true
        }
    }
}

/// All greenlets that are alive now but the caller.
@ReactorActor
private final class Others {
    private let reactor = Reactor.current
    private(set) lazy var latch = Latch(on: reactor, for: .subject(self))
    private(set) var remainingCount: Int
    private var greenlets: [AnyGreenlet]
    private var links: [ReadinessLink] = []

    /// Nil when there are none.
    init?() {
        greenlets = GreenletRegistry.of(.current).greenlets.filter { !$0.isRunByCaller }
        remainingCount = greenlets.count
        guard remainingCount > 0 else { return nil }
        for greenlet in greenlets {
            let link = ReadinessLink(hearsErrors: false)
            link.set { [weak self] in self?.oneHasEnded() }
            greenlet.add(link)
            links.append(link)
        }
    }

    private func oneHasEnded() {
        remainingCount -= 1
        if remainingCount == 0 { latch.open() }
    }

    func giveUp(at deadline: ReactorInstant) -> DelayedCall {
        reactor.callInternallyLater(reactor.now.duration(to: deadline)) { self.latch.open() }
    }

    /// Takes the links back.
    func forget() { links.forEach { $0.cancel() } }
}

extension Others: WaitSubject {
    /// `the end of 3 greenlets`.
    nonisolated var waitDescription: String {
        // Called on the reactor, as the protocol says; so is the next.
        ReactorActor.assumeIsolated { "the end of \(remainingCount) greenlets" }
    }

    nonisolated var holders: [UInt] {
        ReactorActor.assumeIsolated { greenlets.filter { !$0.isReady }.flatMap(\.holders) }
    }
}
