/// A Deferred of whatever type, as those wait for it who want to know only that it is over: what a looping call's body
/// returns, what a cooperative task's sequence yields.
@ReactorActor
protocol PendingOutcome {
    /// Calls `onEnd` once the chain has got that far, now or later, with the error if there is one.
    ///
    /// The outcome stays for whoever holds the Deferred; an error counts as handled.
    func whenOver(
        _ file: StaticString, _ line: UInt, _ onEnd: @escaping @ReactorActor ((any Error)?) -> Void)

    /// As `Deferred.cancel()`.
    func cancel()
}

extension Deferred: PendingOutcome {
    func whenOver(
        _ file: StaticString, _ line: UInt, _ onEnd: @escaping @ReactorActor ((any Error)?) -> Void
    ) {
        let site = CallSite(file, line)
        chain.check(carries: Success.self, at: site)
        let body = StageBody<Result<Success, any Error>, Void> { result in
            switch result {
            case .success: onEnd(nil)
            case .failure(let error): onEnd(error)
            }
        }
        chain.append(DeferredStage(body, site, StageRunners.peek(Success.self)))
    }
}
