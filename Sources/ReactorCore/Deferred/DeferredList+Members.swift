extension Deferred {
    /// Makes this Deferred, unfired, wait for `members`: it hears of the outcome of each, in its place in the member's
    /// chain, and leaves it. Cancelling this one cancels them. The members hold this one, which knows them weakly.
    ///
    /// - Parameter note: is told the member's number, its outcome, and this Deferred, which it must not hold. May be
    ///   told of a member again, when that is cancelled after it is gone.
    func observe<Value>(
        _ members: [Deferred<Value>], consumingErrors: Bool, file: StaticString, line: UInt,
        _ note: @escaping @ReactorActor (Int, Result<Value, any Error>, Deferred<Success>) -> Void
    ) {
        let site = CallSite(file, line)
        for member in members { member.chain.check(carries: Value.self, at: site) }
        let links = members.map { $0.chain.link(to: chain) }
        let waits = links.map(\.0)
        chain.setCanceller(
            .awaited { list in
                for (index, wait) in waits.enumerated() {
                    if let member = wait.awaken(for: list) {
                        member.cancel()
                    } else {
                        note(index, .failure(list.cancellation), Deferred(list))
                    }
                }
            })
        for (index, member) in members.enumerated() {
            let hold = links[index].1
            let body = StageBody<Result<Value, any Error>, Void> { result in
                guard let list = hold.outer else { return }
                hold.outer = nil
                note(index, result, Deferred(list))
            }
            let run = consumingErrors ? StageRunners.peek(Value.self) : StageRunners.glance(Value.self)
            member.chain.append(DeferredStage(body, site, run))
        }
    }
}
