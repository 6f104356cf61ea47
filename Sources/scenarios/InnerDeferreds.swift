import ReactorCore

// A callback may return a Deferred, the inner one: the chain waits until that has fired, and goes on with its
// outcome. In these three the inner one fires a second later, with a value or with an error.

/// The inner value goes to the next callback, as if the callback before had returned it.
let innerCallback = Scenario(
    "inner-callback", from: "Twisted Introduction, part 13",
    "a chain waits for the Deferred a callback returned"
) { stage in
    let (outer, inner) = makeChain(on: stage)
    outer.addCallback { callback3($0, on: stage) }
    try outer.callback(0)  // gets as far as callback_2
    try await reactor.sleep(for: stage.seconds(1))
    try inner.callback(5)
}

/// The inner error passes callback_3 by. It reaches the end of the chain, nobody has taken it, and when the
/// last reference to the chain goes it is logged as "Unhandled error in Deferred".
let innerErrback = Scenario(
    "inner-errback", from: "Twisted Introduction, part 13", "an error that no errback took is logged"
) { stage in
    let (outer, inner) = makeChain(on: stage)
    outer.addCallback { callback3($0, on: stage) }
    try outer.callback(0)
    try await reactor.sleep(for: stage.seconds(1))
    try inner.errback(Complaint(number: 5))
}

/// An errback takes the inner error; what it returns is a value again.
let innerErrbackHandled = Scenario(
    "inner-errback-handled", from: "Twisted Introduction, part 13", "an errback turns the error into a value"
) { stage in
    let (outer, inner) = makeChain(on: stage)
    outer.addCallbacks({ callback3($0, on: stage) }, { errback3($0, on: stage) })
        .addCallback { stage.print("\($0)") }
    try outer.callback(0)
    try await reactor.sleep(for: stage.seconds(1))
    try inner.errback(Complaint(number: 5))
}

/// A chain of two callbacks, the second of which returns the inner Deferred.
@ReactorActor
private func makeChain(on stage: Stage) -> (outer: Deferred<Int>, inner: Deferred<Int>) {
    let inner = Deferred<Int>()
    let outer = Deferred<Int>()
    outer.addCallback { result -> Int in
        stage.print("callback_1 got \(result)")
        return 1
    }.addCallback { result -> Deferred<Int> in
        stage.print("callback_2 got \(result)")
        return inner
    }
    return (outer, inner)
}

private func callback3(_ result: Int, on stage: Stage) -> Int {
    stage.print("callback_3 got \(result)")
    return 3
}

private func errback3(_ error: any Error, on stage: Stage) -> Int {
    stage.print("errback_3 got \(error)")
    return 33
}

/// An error that is only a number, as in the article.
private struct Complaint: Error, CustomStringConvertible {
    let number: Int
    var description: String { "\(number)" }
}
