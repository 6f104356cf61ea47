import CLinux
import Glibc
import Greenlets
public import ReactorCore
import Synchronization

/// Runs `body` on a fresh reactor with a thread of its own, then checks that nothing is left on it.
///
/// ```swift
/// @Test func sleepingGreenletsFinish() async throws {
///     try await withReactor { reactor in
///         try await Greenlet.spawn { try Greenlet.sleep(for: .milliseconds(1)) }.get()
///     }
/// }
/// ```
/// - Parameters:
///   - backend: what the reactor waits in.
///   - clock: the reactor's time; pass a `ManualClock` for tests that are about time.
///   - timeLimit: real time after which the body is cancelled and the test fails; the environment's
///     `REACTOR_TESTING_PATIENCE`, a whole number, multiplies it (sanitizers, loaded machines).
///   - failsOnUnhandledErrors: false for tests about Deferreds whose errors nobody handles.
///   - failsOnStallsOver: how long one step of the test may keep the loop for itself; see `ReactorMonitor`, whose reports
///     the test then fails with. Blocks up to half as long again may be missed. Nil for any time.
///
/// A few reactors run at a time, in the order they were asked for; a reactor made inside another's test runs
/// at once.
/// - Throws: what `body` throws; `ReactorError` when the kernel refuses the backend; `ReactorLeak` when timers, watched
///   descriptors or greenlets are left, or when an error reached nobody, a Deferred's too (see `UnhandledErrorRecorder`); `ReactorTimeLimit` when the
///   limit passed; `ReactorStall` when the loop was blocked for too long.
@discardableResult
public func withReactor<Value: Sendable>(
    backend: Reactor.Backend = .automatic, clock: any ReactorClock = MonotonicClock(),
    timeLimit: Duration = .seconds(60),
    failsOnUnhandledErrors: Bool = true, failsOnStallsOver stallLimit: Duration? = nil,
    _ body: @escaping @Sendable @ReactorActor (Reactor) async throws -> Value
) async throws -> Value {
    try await ReactorSlots.withSlot {
        try await runOnReactor(
            try Reactor(backend: backend, clock: clock), timeLimit, failsOnUnhandledErrors, stallLimit, body)
    }
}

/// What time limits are multiplied by.
private let patience = ReactorConfiguration.current.testingPatience

private func runOnReactor<Value: Sendable>(
    _ reactor: Reactor, _ timeLimit: Duration, _ failsOnUnhandledErrors: Bool, _ stallLimit: Duration?,
    _ body: @escaping @Sendable @ReactorActor (Reactor) async throws -> Value
) async throws -> Value {
    let stalls = stallLimit.map { StallRecorder(reactor.monitor, limit: $0) }
    let timeLimit = timeLimit * patience
    // Made here, not on the reactor's thread: it inherits the caller's task-local values, the current test
    // among them.
    let task = reactor.startTask { () async -> Result<Value, any Error> in
        defer { try? reactor.stop() }  // a test may have stopped it itself
        do {
            return .success(try await check(reactor, timeLimit, failsOnUnhandledErrors, body))
        } catch { return .failure(error) }
    }
    try await withCheckedThrowingContinuation { continuation in
        startThread { continuation.resume(with: Result { try reactor.run() }) }
    }
    let value = try await task.value.get()
    try stalls?.check()
    return value
}

/// What a test left behind on its reactor.
public struct ReactorLeak: Error, CustomStringConvertible {
    /// One line for each thing left.
    public let description: String
}

/// A test ran for too long.
public struct ReactorTimeLimit: Error, CustomStringConvertible {
    /// The limit and what was still alive.
    public let description: String
}

@ReactorActor
private func check<Value: Sendable>(
    _ reactor: Reactor, _ timeLimit: Duration, _ failsOnUnhandledErrors: Bool,
    _ body: @escaping @Sendable @ReactorActor (Reactor) async throws -> Value
) async throws -> Value {
    let uncaught = Report()
    let start = UnhandledErrorLog.shared.watch(reactor)
    reactor.onUncaughtError = { error, context in uncaught.lines.append("\(context): \(error)") }
    let task = reactor.startTask { () async -> Result<Value, any Error> in
        do { return .success(try await body(reactor)) } catch { return .failure(error) }
    }
    let watchdog = Watchdog(timeLimit) {
        reactor.callFromThread {
            let alive = GreenletRegistry.of(reactor).greenlets.map { "\($0.name) (\($0.spawnLocation))" }
            uncaught.lines.append("the test ran longer than \(timeLimit); alive: \(alive)")
            task.cancel()
        }
    }
    let result = await task.value
    let isOver = watchdog.cancel()
    defer { _ = UnhandledErrorLog.shared.endWatch(reactor, since: start) }
    if isOver { throw ReactorTimeLimit(description: uncaught.lines.joined(separator: "\n")) }
    let value = try result.get()
    // What is just ending (a killed greenlet, a closed socket) gets some turns to end in.
    for _ in 0..<100 where !leftovers(reactor).isEmpty { await reactor.yield() }
    let unheard = UnhandledErrorLog.shared.endWatch(reactor, since: start)
    let left =
        leftovers(reactor) + uncaught.lines.map { "an error that nobody handled: \($0)" }
        + (failsOnUnhandledErrors ? unheard : []).map {
            "the Deferred made at \($0.site) failed and nobody handled it: \($0.error)"
        }
    guard left.isEmpty else { throw ReactorLeak(description: left.joined(separator: "\n")) }
    return value
}

@ReactorActor private final class Report { var lines: [String] = [] }

@ReactorActor
private func leftovers(_ reactor: Reactor) -> [String] {
    var left: [String] = []
    if reactor.delayedCallCount > 0 { left.append("\(reactor.delayedCallCount) delayed calls are pending") }
    left += reactor.watchedDescriptors.map { "descriptor \($0) is watched" }
    left += GreenletRegistry.of(reactor).greenlets.map {
        "greenlet \"\($0.name)\" of \($0.spawnLocation) is alive"
    }
    return left
}

/// Calls back from a thread of its own when a time limit in *real* time passes: it must work while the
/// reactor hangs.
private final class Watchdog: Sendable {
    private enum State { case waiting, cancelled, fired }
    private let state = Mutex(State.waiting)

    init(_ limit: Duration, _ body: @escaping @Sendable () -> Void) {
        let deadline = MonotonicClock().now.advanced(by: limit)
        startThread { [self] in
            // A coarse poll: the common case is a test that ends within milliseconds.
            while MonotonicClock().now < deadline, state.withLock({ $0 == .waiting }) { usleep(50_000) }
            let isFirst = state.withLock { state in
                guard state == .waiting else { return false }
                state = .fired
                return true
            }
            if isFirst { body() }
        }
    }

    /// Stops it. Whether the limit had passed.
    func cancel() -> Bool {
        state.withLock { state in
            if state == .waiting { state = .cancelled }
            return state == .fired
        }
    }
}

/// Starts a detached thread.
private func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, &attributes,
        { argument in
            Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()  // retained just below
            return nil
        }, Unmanaged.passRetained(Body(body)).toOpaque())
    precondition(code == 0, "pthread_create failed: \(code)")
    pthread_attr_destroy(&attributes)
}
