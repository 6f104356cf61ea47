import CLibPQ
import CLinux
import ConnectionPools
import Glibc
import Logging
import PostgresValues
import ReactorCore

/// One login at one server: libpq's connection, driven by the reactor.
///
/// From connect to close the socket has one reader in the reactor. It takes in whatever comes: the answer of the
/// statement under way, or, when there is none, the server's farewell, so that a connection that dies idle is
/// known before anybody borrows it and a query costs no registration.
///
/// One exchange at a time; see `PostgresSession+Exchange`.
@ReactorActor
final class PostgresSession {
    let configuration: PostgresConfiguration
    let reactor: Reactor
    let descriptor: Int32
    let processID: Int32
    let notices: NoticeSink
    /// Whether anybody wants to know of its statements.
    let isObserved: Bool
    let signal = Signal()
    /// Send cancel requests; a pool's sessions share theirs. No thread is started before there is a request.
    lazy var cancelThreads = ThreadPool(limit: 1)

    /// libpq's connection; nil once closed.
    private(set) var handle: OpaquePointer?
    /// Why it can no longer be used, once that is so.
    private(set) var failure: PostgresError?
    /// What that says about other connections.
    private(set) var loss = PoolLoss.alone
    /// Set when its pool closes: why no further statement is taken.
    var condemned: PostgresError?
    /// When its last borrower gave it back.
    var idleSince = Duration.zero
    /// Called once when the connection is lost while nobody uses it.
    var onIdleLoss: (@ReactorActor (PostgresSession) -> Void)?

    /// State of the exchange under way; belongs to `PostgresSession+Exchange`.
    var exchange = Exchange()
    var statements: PreparedStatements
    var parameters = ParameterBuffer()
    /// Pipeline segments sent so far.
    var segments: UInt64 = 0
    /// That a prepared statement has vanished was logged.
    var hasSuspectedPooler = false
    /// A stream has asked libpq for rows one by one.
    var isInSingleRowMode = false
    /// What has failed the transaction that is open; see `PostgresSession+TransactionFailure`.
    var transactionFailure: PostgresError?
    /// Savepoints made so far, for their names.
    var savepoints = 0
    /// Cursors made so far, for their names.
    var cursors = 0

    /// Where the server's notifications go.
    let notifications = NotificationHub()
    /// What its statements leave behind, and what its pool knows of it.
    var dirt = SessionDirt()
    var record = PoolRecord()
    /// The process that has opened it: in a forked child the socket is the parent's.
    private let forks = clinux_fork_count()

    private var hasReader = false
    /// The reader is away while a stream's consumer is slow.
    private var isReadingPaused = false
    /// Whether libpq holds output that the socket does not take yet; the signal is raised when it has.
    private(set) var hasWriter = false

    init(
        _ handle: OpaquePointer, _ configuration: PostgresConfiguration, on reactor: Reactor,
        _ notices: NoticeSink
    ) throws {
        self.handle = handle
        self.configuration = configuration
        isObserved = configuration.observesStatements
        self.reactor = reactor
        self.notices = notices
        descriptor = PQsocket(handle)
        processID = PQbackendPID(handle)
        statements = PreparedStatements(capacity: configuration.statementCapacity)
        // Unowned: `deinit` takes the reader away. Weak would make every retain of a session slow for ever.
        try reactor.addReader(descriptor) { [unowned self] in socketIsReadable() }
        hasReader = true
    }

    /// A session that is dropped without a close still leaves the reactor before its socket goes.
    isolated deinit {
        if let handle = takeHandle() { PQfinish(handle) }
    }

    // MARK: State

    /// Whether statements can be sent.
    var isUsable: Bool { handle != nil && failure == nil }

    /// In, outside or in a failed transaction, as far as the server has told; costs no round trip.
    var transactionStatus: PGTransactionStatusType {
        handle.map { PQtransactionStatus($0) } ?? PQTRANS_UNKNOWN
    }

    /// The error for a use of a session that cannot be used.
    var unusable: PostgresError {
        guard let failure else { return PostgresError(.connectionClosed, "the connection has been closed") }
        return failure
    }

    /// Notes that the connection is lost; the first reason counts.
    func lose(_ error: PostgresError, _ loss: PoolLoss) {
        guard failure == nil else { return }
        failure = error
        self.loss = loss
        signal.raise()
        exchange.feed?.wasInterrupted()
        notifications.end(throwing: error)
        if !exchange.isUnderWay {
            let handler = onIdleLoss
            onIdleLoss = nil
            handler?(self)
        }
    }

    /// Whether it is the parent's: this process is the child of a fork.
    var isInherited: Bool { forks != clinux_fork_count() }

    /// Takes the connection out of the reactor and gives it up to the caller, who calls PQfinish.
    func takeHandle() -> OpaquePointer? {
        guard let handle else { return nil }
        guard !isInherited else {
            // PQfinish would say good-bye on the socket that the parent still uses.
            abandon()
            return nil
        }
        leaveReactor()
        self.handle = nil
        return handle
    }

    /// Closes the socket without a word, in the child of a fork. libpq's memory stays.
    func abandon() {
        guard let handle else { return }
        self.handle = nil
        hasReader = false
        hasWriter = false
        onIdleLoss = nil
        if failure == nil {
            failure = PostgresError(
                .connectionClosed,
                "the connection belongs to the process that this one was forked from; open another one here")
        }
        // libpq closes the socket of a dead connection by itself, and the number may be somebody else's since.
        if PQsocket(handle) == descriptor { Glibc.close(descriptor) }
    }

    /// Lets go of what is the parent's: a byte that is written or read here is missed or found there.
    func abandonIfInherited() {
        if isInherited { abandon() }
    }

    // MARK: The socket

    private func socketIsReadable() {
        if exchange.isPaced {
            // Whoever wants more reads; until then the kernel's buffers fill up and the server stops.
            guard exchange.isInputAwaited else { return pauseReading() }
            exchange.isInputAwaited = false
            return signal.raise()
        }
        if exchange.isCopyIn, let handle, looksRefused(handle) { exchange.isCopyRefused = true }
        takeInput()
        guard exchange.isUnderWay else {
            // The farewell and the end of the stream come as two: the first call parses, the second meets the end.
            if failure == nil, handle != nil { takeInput() }
            return
        }
        // A partial answer need not wake the task.
        if let handle, PQisBusy(handle) != 0, failure == nil { return }
        signal.raise()
    }

    /// Reads what is there and parses it.
    func takeInput() {
        guard let handle else { return }
        let isRead = PQconsumeInput(handle) == 1
        // Parses; a server that says something unasked speaks to the notice receiver.
        _ = PQisBusy(handle)
        takeNotifications()
        noteSocket(isRead ? nil : handle)
        // Input makes room for output: on a large exchange both sides would wait for each other.
        if isRead, hasWriter { flush() }
    }

    /// Hands on the notifications that are there; kept in libpq they would grow without bound. Parses what it has read.
    func takeNotifications() {
        guard let handle else { return }
        while let notification = PQnotifies(handle) {
            notifications.receive(notification)
            PQfreemem(notification)
        }
    }

    /// Sends what libpq has buffered, now or when the socket takes it.
    func flush() {
        guard let handle else { return }
        let isPending = PQflush(handle)
        noteSocket(isPending < 0 ? handle : nil)
        guard failure == nil, isPending == 1 else {
            guard hasWriter else { return }
            reactor.removeWriter(descriptor)
            hasWriter = false
            if exchange.isUnderWay { signal.raise() }
            return
        }
        guard !hasWriter else { return }
        do {
            try reactor.addWriter(descriptor) { [unowned self] in flush() }
            hasWriter = true
        } catch {
            lose(PostgresError(.connectionLost, "the socket cannot be watched", underlying: error), .alone)
        }
    }

    /// Looks whether libpq has dropped the socket in the call just made.
    ///
    /// It closes it by itself; the reactor has to forget it before anybody else can get the number.
    func noteSocket(_ failed: OpaquePointer?) {
        guard let handle, failed != nil || PQsocket(handle) != descriptor, PQstatus(handle) == CONNECTION_BAD
        else { return }
        leaveReactor()
        // While a statement is under way its result tells more.
        if !exchange.isUnderWay { loseWith(libpqMessage: String(cString: PQerrorMessage(handle))) }
        signal.raise()
    }

    /// Notes the loss with the best reason known: the server's farewell, else what libpq noticed.
    func loseWith(libpqMessage message: String) {
        if let farewell = notices.farewell {
            lose(.lost(farewell), .of(farewell.sqlState))
        } else {
            lose(PostgresError(.connectionLost, "the connection was lost: \(oneLine(message))"), .serverGone)
        }
    }

    /// Leaves reading to a stream's consumer, or takes it back.
    func pace(_ isPaced: Bool) {
        exchange.isPaced = isPaced
        if !isPaced { resumeReading() }
    }

    private func pauseReading() {
        guard hasReader, !isReadingPaused else { return }
        reactor.removeReader(descriptor)
        isReadingPaused = true
    }

    func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        guard hasReader else { return }
        do {
            try reactor.addReader(descriptor) { [unowned self] in socketIsReadable() }
        } catch {
            lose(PostgresError(.connectionLost, "the socket cannot be watched", underlying: error), .alone)
        }
    }

    private func leaveReactor() {
        guard hasReader else { return }
        reactor.descriptorWillClose(descriptor)
        hasReader = false
        hasWriter = false
    }
}

extension PoolLoss {
    /// Whether the server's reason concerns this connection alone or all that are as old.
    static func of(_ state: PostgresSQLState) -> PoolLoss {
        switch state {
        case .adminShutdown, .crashShutdown, .cannotConnectNow: .serverGone
        // What this client has sent, a message of more than 1 GiB say.
        case .protocolViolation: .alone
        default: state.classCode == "08" ? .serverGone : .alone
        }
    }
}

extension PostgresError {
    /// The server ended the session and said why.
    static func lost(_ report: PostgresServerReport) -> PostgresError {
        PostgresError(
            .connectionLost,
            "the server ended the connection: \(report.severity) \(report.sqlState): \(oneLine(report.safeMessage))",
            server: report)
    }
}
