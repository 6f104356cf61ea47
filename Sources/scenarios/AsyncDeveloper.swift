import ReactorCore

/// The same day, told from top to bottom: what `inlineCallbacks` made of generators, `async` functions are.
///
/// `Deferred(async:)` starts a task on the reactor and is its outcome. A task begins when the reactor comes to
/// it, where a generator under `inlineCallbacks` begins at once; so what must be said before "Bye" is said
/// before the task.
let asyncDeveloper = Scenario(
    "async-developer", from: "A Python tale, example 4",
    "the same with async functions, as with inlineCallbacks"
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
    let work = (0..<15).map { install(for: "Customer \($0)") }
    let join = DeferredList(work)
    stage.print("Bye from Twisted developer!")
    _ = try await join.value
}
