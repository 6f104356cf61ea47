import ReactorCore

/// A paused Deferred can be fired and given callbacks; none runs until it is unpaused, and then all do, in
/// order, before `unpause()` returns.
let pausedChain = Scenario(
    "paused-chain", from: "Twisted Introduction, part 14", "pause and unpause: callbacks wait, then all run"
) { stage in
    let deferred = Deferred<Int>()
    stage.print("Pausing, then firing deferred.")
    deferred.pause()
    try deferred.callback(0)

    stage.print("Adding callbacks.")
    deferred.addCallback { result -> Int in
        stage.print("callback_1 got \(result)")
        return 1
    }.addCallback { result -> Int in
        stage.print("callback_2 got \(result)")
        return 2
    }.addCallback { result in
        stage.print("callback_3 got \(result)")
    }

    stage.print("Unpausing the deferred.")
    deferred.unpause()
}
