import ReactorCore

// Somebody asks for a poem that takes five seconds and gives it up after two.

/// Without a canceller only the waiting ends. The errback hears of it at once; the poem is sent all the same,
/// and is ignored.
let cancelledPoem = Scenario(
    "cancelled-poem", from: "Twisted Introduction, part 19",
    "cancel without a canceller: the work goes on, unheard"
) { stage in
    let poem = Deferred<String>()
    reactor.callLater(stage.seconds(5)) { try send(poem, on: stage) }
    try await giveUpAfterTwoSeconds(poem, on: stage)
}

/// With a canceller the work ends too: the call that would send the poem is taken back.
let cancelledPoemUnsent = Scenario(
    "cancelled-poem-unsent", from: "Twisted Introduction, part 19",
    "cancel with a canceller: the work is taken back"
) { stage in
    let sending = Sending()
    let poem = Deferred<String>(onCancel: { _ in sending.call?.cancelIfActive() })
    sending.call = reactor.callLater(stage.seconds(5)) { try send(poem, on: stage) }
    try await giveUpAfterTwoSeconds(poem, on: stage)
}

/// The call that will send the poem: made after the Deferred whose canceller takes it back.
@ReactorActor
private final class Sending {
    var call: DelayedCall?
}

@ReactorActor
private func send(_ poem: Deferred<String>, on stage: Stage) throws {
    stage.print("Sending poem")
    try poem.callback("Once upon a midnight dreary")
}

@ReactorActor
private func giveUpAfterTwoSeconds(_ poem: Deferred<String>, on stage: Stage) async throws {
    poem.addCallbacks(
        { stage.print("I got a poem: \($0)") },
        { stage.print("get_poem failed: \($0)") })
    reactor.callLater(stage.seconds(2)) { poem.cancel() }
    try await reactor.sleep(for: stage.seconds(10))
}
