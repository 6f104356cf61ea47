import ReactorCore

extension AnyGreenlet {
    /// Whether it has been spawned or started, be it for later, and has not ended: gevent's truth of a greenlet.
    public final var isRunning: Bool {
        switch stage {
        case .spawned, .running, .onFiber: true
        case .idle: !isReady && extras?.isStartDue == true
        case .failed: false
        }
    }

    /// Starts a greenlet that was made and not spawned: its body runs in a coming turn. Never waits.
    ///
    /// Only the first start counts, with or without delay: a greenlet that runs, has ended or was killed is not started again.
    public final func start() {
        guard let launch = extras?.takeLaunch() else { return }
        joinTree()
        launch(self)
    }

    /// Starts it `delay` from now; gevent's `start_later`. As `start()`.
    ///
    /// Until then it is among the reactor's delayed calls, and a kill takes it from there.
    /// - Precondition: `delay` is not negative.
    public final func start(after delay: Duration, file: StaticString = #fileID, line: UInt = #line) {
        guard let extras, let launch = extras.takeLaunch() else { return }
        let timer = reactor.callLater(
            delay,
            { [self] in
                joinTree()
                launch(self)
            }, file: file, line: line)
        extras.startLater(by: timer)
    }
}
