import ReactorCore

/// Why a statement under way is to end.
enum Interruption {
    case cancelled
    case timedOut(Duration)
    case poolClosed
    /// The scope that lent the connection to a stream has ended.
    case scopeEnded
}

/// What an interruption does to the statement under way.
enum InterruptionPolicy {
    /// It is cancelled on the server.
    case cancel
    /// It is waited for, for as long as the grace is: COMMIT. It is not cancelled: a server that waits for its standbys would
    /// stop waiting, and have committed.
    case waitForGrace
    /// Its task may be cancelled, it goes on: clean-up, which has a time limit.
    case ignore
}

/// What a session knows about the statement under way.
struct Exchange {
    var isUnderWay = false
    /// Tells a late interruption that its statement is over.
    var number: UInt64 = 0
    var interruption: Interruption?
    /// No cancel request is sent for it.
    var isJustAwaited = false
    /// A cancel request is with a worker thread. Until it has returned it could hit the next statement.
    var isCancelInFlight = false
    /// Takes that request back while it waits for a thread.
    var cancelTicket: ThreadPool.Ticket?
    /// A cancel request has reached the server.
    var isCancelSent = false
    /// The rest of a COPY TO that nobody wants is coming.
    var isDiscardingCopy = false
    /// The server did not end the cancelled statement in time.
    var isAbandoned = false
    /// The answer is here to its end, as the server said.
    var isComplete = false
    /// Nothing more will come: a further cancel request could only hit what comes next.
    var isAnswered = false
    /// Sends the cancel request again.
    var cancelTimer: DelayedCall?
    /// Gives the session up when a cancelled statement does not end.
    var graceTimer: DelayedCall?
    /// Ends the statement's time.
    var timeoutTimer: DelayedCall?
    /// Takes the answer piece by piece; nil for statements whose answer is taken as a whole.
    var feed: StatementFeed?
    /// The socket is read only when the feed's consumer wants more.
    var isPaced = false
    /// Rows are sent to the server, which may refuse them before they are all there.
    var isCopyIn = false
    /// It has.
    var isCopyRefused = false
    /// What the server is told when rows are not sent to their end.
    var copyFailure: String?
    /// The feed's consumer waits for input.
    var isInputAwaited = false
    /// Nobody wants the answer any more: who comes next waits for its end instead of being refused.
    var isCleanUp = false
    /// The first error, else the last result.
    var result: OpaquePointer?
    /// Those who wait for the session to be free, oldest first.
    var queue: [Signal] = []
}
