import DequeModule

/// What a thread pool decides: who starts, who wakes, who ends. No thread, no lock, no clock in it.
///
/// A pool may be *held*: it queues and runs nothing until `start()`. It may be *stopped*: it takes nothing
/// more, and ends when the queue is empty. Held and stopped, it ends after `start()`.
struct ThreadPoolStateMachine<Work> {
    /// Names a queued piece of work, to take it back.
    typealias Ticket = UInt64

    /// What the shell has to do after an event.
    struct Action: Equatable {
        /// How many workers to start; they are counted already.
        var starts = 0
        /// How many waiting workers to wake.
        var wakes = 0
    }

    /// What a worker does next.
    enum Step {
        case run(Work)
        /// Wait for a wake-up or for the end of its idle time, then ask again.
        case wait
        /// End. `isLast`: the pool has ended with it.
        case end(isLast: Bool, Action)
    }

    private(set) var limit: Int
    private(set) var isHeld: Bool
    private(set) var isStopped = false
    /// Workers: `idle` wait, `working` run something, the rest are on their way between the two.
    private(set) var threads = 0
    private(set) var idle = 0
    private(set) var working = 0
    private(set) var completed = 0
    private(set) var cancelled = 0
    /// Queued work by ticket, and the order of the tickets. Taken back, a ticket stays in `order` for a while.
    private var queued: [Ticket: Work] = [:]
    private var order = Deque<Ticket>()
    private var lastTicket: Ticket = 0

    init(limit: Int, isHeld: Bool = false) {
        self.limit = limit
        self.isHeld = isHeld
    }

    var queuedCount: Int { queued.count }

    /// How many tickets are remembered, those of work taken back included.
    var orderCount: Int { order.count }

    /// Whether nothing will ever run again.
    var hasEnded: Bool { isStopped && threads == 0 && queued.isEmpty }

    /// Queues work; nil when the pool is stopped.
    mutating func submit(_ work: Work) -> (Ticket, Action)? {
        guard !isStopped else { return nil }
        lastTicket += 1
        queued[lastTicket] = work
        order.append(lastTicket)
        return (lastTicket, demand(from: 1))
    }

    /// Takes work back that no worker has taken; nil when one has. The caller releases it, outside its lock.
    mutating func cancel(_ ticket: Ticket) -> Work? {
        guard let work = queued.removeValue(forKey: ticket) else { return nil }
        cancelled += 1
        if order.count > 64, order.count > 2 * queued.count { order.removeAll { queued[$0] == nil } }
        return work
    }

    /// Begins to run what is queued.
    mutating func start() -> Action {
        isHeld = false
        return demand(from: queued.count)
    }

    /// Takes no more work.
    mutating func stop() -> Action {
        isStopped = true
        return Action(wakes: idle)
    }

    /// Changes the limit. Workers above it end when they have nothing in hand.
    mutating func adjust(limit: Int) -> Action {
        self.limit = limit
        var action = demand(from: queued.count)
        if threads > limit { action.wakes = idle }
        return action
    }

    /// A worker that was to start could not be.
    mutating func startFailed() { threads -= 1 }

    /// Workers for `count` pieces of queued work that have none yet: the idle ones first, then new ones.
    private mutating func demand(from count: Int) -> Action {
        guard !isHeld else { return Action() }
        // An idle worker that was woken counts as idle until it runs, so the whole queue is compared.
        let missing = max(0, min(queued.count - idle, limit - threads, count))
        threads += missing
        return Action(starts: missing, wakes: min(idle, count))
    }

    // MARK: A worker's life

    /// A worker asks what to do. `timedOut`: its idle time is over.
    mutating func next(timedOut: Bool) -> Step {
        if threads > limit {
            // Somebody was perhaps woken for the work this one leaves.
            return end(Action(wakes: min(idle, queued.count)))
        }
        while let ticket = order.popFirst() {
            guard let work = queued.removeValue(forKey: ticket) else { continue }
            working += 1
            return .run(work)
        }
        if isStopped || timedOut { return end(Action()) }
        return .wait
    }

    private mutating func end(_ action: Action) -> Step {
        threads -= 1
        return .end(isLast: hasEnded, action)
    }

    mutating func workEnded() {
        working -= 1
        completed += 1
    }

    mutating func waitBegan() { idle += 1 }
    mutating func waitEnded() { idle -= 1 }
}
