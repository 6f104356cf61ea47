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
    /// Returns when the loop has made so many more turns. Not by yields: one turn has room for a millisecond of them.
    @ReactorActor func makeTurns(_ count: UInt64) async {
        let last = turnCount + count
        while turnCount < last { try? await sleep(for: .zero) }
    }
}
