import ReactorCore

/// One developer, fifteen customers, three seconds: nobody waits, everything that is to happen is scheduled.
///
/// `deferLater` is the sleep that does not block: a Deferred that fires after a while with what its function
/// returns. `DeferredList` is the Deferred that fires when all of its members have. The developer's own day is
/// over before the first installation is.
let twistedDeveloper = Scenario(
    "twisted-developer", from: "A Python tale, example 3", "deferLater, callbacks and a DeferredList"
) { stage in
    @ReactorActor func scheduleInstall(for customer: String) -> Deferred<Void> {
        stage.print("Scheduling: Installation for \(customer)")
        return reactor.deferLater(stage.seconds(3)) {
            stage.print("Callback: Finished installation for \(customer)")
        }.addCallback {
            stage.print("All done for \(customer)")
        }
    }

    stage.print("Goodmorning from Twisted developer")
    let work = (0..<15).map { scheduleInstall(for: "Customer \($0)") }
    let join = DeferredList(work)
    stage.print("Bye from Twisted developer!")
    _ = try await join.value
}
