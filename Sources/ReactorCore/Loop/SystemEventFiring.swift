/// One firing of a system event: phase after phase, each when all that the one before began has ended.
@ReactorActor
final class SystemEventFiring {
    private let event: SystemEvent
    private let reactor: Reactor
    /// Asked before each phase, and with nil at the end: false gives the firing up.
    private let mayEnter: @ReactorActor (SystemEventPhase?) -> Bool
    private var phase = SystemEventPhase.before
    /// Triggers called and not through; one more while they are being called.
    private var unfinishedCount = 0

    init(
        _ event: SystemEvent, on reactor: Reactor,
        mayEnter: @escaping @ReactorActor (SystemEventPhase?) -> Bool
    ) {
        self.event = event
        self.reactor = reactor
        self.mayEnter = mayEnter
    }

    /// Calls the triggers of the first phase, and of the others as far as nothing has to be waited for.
    func start() {
        if mayEnter(.before) { callTriggers() }
    }

    /// Also calls those that the triggers of this phase add to it.
    private func callTriggers() {
        unfinishedCount += 1
        while let trigger = reactor.systemEvents.takeNext(phase, event) {
            unfinishedCount += 1
            let context = "the \(phase) \(event) trigger added at \(trigger.site)"
            trigger.ticket.onEnd = { [self] error in
                if let error { reactor.onUncaughtError(error, context) }
                finishOne()
            }
            do { try trigger.call() } catch { trigger.ticket.onEnd(error) }
        }
        finishOne()
    }

    private func finishOne() {
        unfinishedCount -= 1
        guard unfinishedCount == 0 else { return }
        guard mayEnter(phase.next), let next = phase.next else { return }
        phase = next
        callTriggers()
    }
}
