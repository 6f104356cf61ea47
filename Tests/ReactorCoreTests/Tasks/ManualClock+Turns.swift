import ReactorCore
import ReactorTesting

extension ManualClock {
    /// Moves on and lets the reactor make the calls that are due, and those that these queue, and theirs.
    @ReactorActor func advance(by duration: Duration, on reactor: Reactor) async {
        advance(by: duration)
        await reactor.makeTurns(4)
    }
}

extension Reactor {
    /// Returns when timers have had so many more turns. Not by yields: one turn has room for a millisecond of them.
    @ReactorActor func makeTurns(_ count: Int) async {
        for _ in 0..<count { try? await sleep(for: .zero) }
    }
}
