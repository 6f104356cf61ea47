import ReactorCore

/// The same work, but at most five customers at a time: too much at once would trouble others.
///
/// The work is lazy: a sequence whose next element, when asked for, starts an installation and is its
/// Deferred. A Cooperator asks for the next only when the last has fired. Five iterations over *one* shared
/// iterator are therefore five slots.
let fiveAtATime = Scenario(
    "five-at-a-time", from: "A Python tale, example 5", "a Cooperator over one shared iterator: five slots"
) { stage in
    @ReactorActor func install(for customer: String) -> Deferred<Void> {
        stage.print("Scheduling: Installation for \(customer)")
        return Deferred(async: {
            try await reactor.sleep(for: stage.seconds(3))
            stage.print("Callback: Finished installation for \(customer)")
            stage.print("All done for \(customer)")
        })
    }

    stage.print("Goodmorning from Twisted developer")
    let work = AnyIterator((0..<15).lazy.map { install(for: "Customer \($0)") }.makeIterator())
    let join = DeferredList((0..<5).map { _ in reactor.coiterate(work) })
    stage.print("Bye from Twisted developer!")
    _ = try await join.value
}
