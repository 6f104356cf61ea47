public import ReactorCore
import Synchronization

/// The process's reactor, set up for greenlets: for programs that come from geventreactor, whose first two lines install it.
///
/// ```swift
/// let reactor = try GreenletReactor.install()
/// ```
/// Here every reactor runs greenlets, so there is nothing to replace. What `install()` adds is what geventreactor's does on
/// top: names are looked up by a `GreenletResolver`, with its limit of 60 seconds in all.
public enum GreenletReactor {
    private static let isInstalled = Atomic(false)

    /// Sets `Reactor.shared` up and returns it. Any thread; never waits. Once a process, before the reactor runs.
    ///
    /// - Throws: `GreenletError` with code `alreadyInstalled` the second time; `reactorRuns` when `Reactor.shared`, or a reactor on
    ///   the calling thread, runs already: what uses it has found another resolver by then. It may be tried again.
    @discardableResult
    public static func install() throws(GreenletError) -> Reactor {
        let reactor = Reactor.shared
        guard !reactor.isRunning, !Reactor.isOnAnyReactorThread else {
            throw GreenletError(
                .reactorRuns,
                "GreenletReactor.install() was called while a reactor runs: call it first, before run()")
        }
        guard isInstalled.exchange(true, ordering: .relaxed) == false else {
            throw GreenletError(
                .alreadyInstalled, "GreenletReactor.install() was called twice: once is enough for a process")
        }
        // Ahead of all that is queued later, so ahead of whoever may ask for a name.
        reactor.callFromThread { reactor.installResolver(GreenletResolver()) }
        return reactor
    }
}
