import Logging
import PostgresValues
import ReactorCore

/// A pool's own connection for notifications, made when somebody listens and shared by all who do.
///
/// One task connects, sends LISTEN and UNLISTEN as channels come and go, and connects again when the connection is lost.
/// Those who listen only change the book of channels and wake it.
@ReactorActor
final class PostgresListener {
    /// How long the connection is kept without anybody who listens.
    static let linger = Duration.seconds(10)
    /// Most statements in one message.
    private static let batch = 500

    private let configuration: PostgresConfiguration
    /// What to connect with: asked anew before each connect, as the pool's own connections do.
    private let configure: @ReactorActor () async throws -> PostgresConfiguration
    private let label: String
    private let logger: Logger
    /// Pause before the next connect after so many failures in a row.
    private let backoff: @Sendable (Int) -> Duration
    /// Silence of the server after which it is asked whether it is there, and how long it may take to answer; nil: never.
    private let keepAlive: (after: Duration, within: Duration)?
    private let reactor = Reactor.current
    private let changed = Signal()

    let channels = ListenerChannels()
    private var task: Task<Void, Never>?
    private var isClosed = false
    private var isRecycled = false
    private(set) var session: PostgresSession?
    /// Why there is no connection; nil while there is one.
    private(set) var lastFailure: PostgresError?
    /// When the server was last heard of, and how often it has answered when it was asked.
    private var lastHeard = ReactorInstant(nanoseconds: 0)
    private(set) var answers = 0

    init(
        _ configuration: PostgresConfiguration, label: String, logger: Logger,
        keepAlive: (after: Duration, within: Duration)?, backoff: @escaping @Sendable (Int) -> Duration,
        configure: @escaping @ReactorActor () async throws -> PostgresConfiguration
    ) {
        self.configure = configure
        self.configuration = configuration
        self.label = label
        self.logger = logger
        self.keepAlive = keepAlive
        self.backoff = backoff
    }

    /// Adds one who listens; its channels are listened to soon.
    func add(_ subscriber: ListenerSubscriber) {
        guard !isClosed else { return subscriber.end(nil) }
        channels.add(subscriber)
        changed.raise()
        if task == nil { task = reactor.startTask { await self.run() } }
    }

    func remove(_ subscriber: ListenerSubscriber) {
        guard channels.remove(subscriber) else { return }
        changed.raise()
    }

    /// Ends every sequence and lets the connection go. Never waits.
    func stop() {
        isClosed = true
        channels.endAll(nil)
        task?.cancel()
        changed.raise()
    }

    /// The same, and returns when the connection is gone.
    func close() async {
        stop()
        await task?.value
    }

    /// Connects anew: those who listen get `.reconnected`. Never waits.
    func recycle() {
        guard task != nil, !isClosed else { return }
        // What is being connected is replaced, too.
        isRecycled = true
        session?.lose(
            PostgresError(.connectionClosed, "the connections of pool \(label) are being replaced"), .alone)
        changed.raise()
    }

    /// In the child of a fork: lets go of the parent's socket, and of nothing else.
    func abandon() { session?.abandon() }

    // MARK: The connection

    private func run() async {
        var failures = 0
        while !isClosed, !channels.subscribers.isEmpty {
            do {
                let session = try await PostgresSession.connectAndCheck(configure())
                guard !isRecycled else {
                    isRecycled = false
                    await session.close()
                    continue
                }
                lastFailure = nil
                let start = reactor.now
                self.session = session
                let isLost = await serve(session)
                channels.endSession()
                self.session = nil
                let reason = session.unusable
                await session.close()
                guard isLost, !isClosed, !isRecycled else {
                    isRecycled = false
                    continue
                }
                // One that is lost again and again is not made anew without a pause.
                failures = start.duration(to: reactor.now) > .seconds(5) ? 1 : failures + 1
                if failures == 1 { logger.warning("the listener of pool \(label) was lost: \(reason)") }
            } catch {
                guard !isClosed else { break }
                isRecycled = false
                failures += 1
                let error = PostgresError(connecting: configuration, failedWith: error)
                lastFailure = error
                if error.isPermanentConnectFailure {
                    channels.endAll(error)
                    break
                }
                // Once per outage, not once per attempt.
                if failures == 1 {
                    logger.error("the listener of pool \(label): \(error)")
                }
            }
            // Ends early when the pool is closed.
            try? await reactor.sleep(for: backoff(failures))
        }
        task = nil
    }

    /// Keeps the session's channels as they are wanted, until nobody wants any or the session is lost, which is said.
    private func serve(_ session: PostgresSession) async -> Bool {
        let number = session.notifications.add(
            NotificationHub.Receiver(
                receive: { [weak self] in self?.received($0) },
                end: { [channels, changed] _ in
                    // At once: who comes now is listened for by the next session.
                    channels.endSession()
                    changed.raise()
                }))
        defer { session.notifications.remove(number) }
        lastHeard = reactor.now
        while !isClosed, session.isUsable {
            let changes = channels.takeChanges(atMost: Self.batch)
            if !changes.isEmpty {
                do {
                    _ = try await session.script(changes.text)
                    lastHeard = reactor.now
                    channels.confirm(changes)
                } catch {
                    guard session.isUsable, !isClosed else { break }
                    let refusal =
                        error as? PostgresError ?? PostgresError(.unexpectedResult, "LISTEN was not sent")
                    guard channels.refuse(changes, refusal) else { continue }
                    lastFailure = refusal
                    session.lose(
                        PostgresError(
                            .connectionLost, "the server refuses LISTEN: \(refusal)", underlying: refusal),
                        .alone)
                }
                continue
            }
            channels.endRound()
            if channels.subscribers.isEmpty {
                guard await isWantedSoon() else { return false }
            } else {
                await rest(session)
            }
        }
        return !session.isUsable
    }

    private func received(_ message: PostgresNotification) {
        lastHeard = reactor.now
        channels.deliver(message)
    }

    /// Waits for something to do.
    ///
    /// A peer that is gone without a word, behind a cut cable or a router that has forgotten the connection, cannot be told
    /// from one that has nothing to say; so after a while of silence it is asked for a word. TCP's own keep-alive would not do:
    /// it waits for two hours unless it is told otherwise, and is answered by the kernel of a server that hangs.
    private func rest(_ session: PostgresSession) async {
        guard let keepAlive else { return await changed.wait() }
        let silence = lastHeard.duration(to: reactor.now)
        guard silence < keepAlive.after else {
            // Too late an answer loses the session, which ends the loop that called.
            let isAnswered = (try? await session.ping(within: keepAlive.within)) != nil
            lastHeard = reactor.now
            if isAnswered { answers += 1 }
            return
        }
        let timer = reactor.callLater(keepAlive.after - silence) { [changed] in changed.raise() }
        defer { timer.cancelIfActive() }
        await changed.wait()
    }

    /// Waits a while for somebody to listen again: connections cost more than that.
    private func isWantedSoon() async -> Bool {
        var isOver = false
        let timer = reactor.callLater(Self.linger) { [changed] in
            isOver = true
            changed.raise()
        }
        defer { timer.cancelIfActive() }
        while channels.subscribers.isEmpty, !isOver, !isClosed { await changed.wait() }
        return !channels.subscribers.isEmpty
    }
}
