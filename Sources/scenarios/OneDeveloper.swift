import Glibc
import Greenlets
import ReactorCore

/// One developer serves one customer after the other, and most of the day he waits.
///
/// `usleep` stands for an installer that blocks and has never heard of a reactor. The day is a greenlet with a
/// synchronous body: there the call, BlockingShims being linked, parks the greenlet's stack, and the reactor's
/// thread is free meanwhile. Within the greenlet nothing has become faster: four customers, four waits.
let oneDeveloper = Scenario(
    "one-developer", from: "A Python tale, example 1",
    "blocking code in one greenlet: one wait after the other"
) { stage in
    let day = Greenlet.spawn {
        for customer in ["Bill", "Elon", "Steve", "Mark"] { installWordpress(for: customer, on: stage) }
    }
    try await day.get()
}

/// Blocks for three seconds: a greenlet when called in one, else the whole thread.
func installWordpress(for customer: String, on stage: Stage) {
    stage.print("Start installation for \(customer)")
    usleep(stage.microseconds(ofSeconds: 3))
    stage.print("All done for \(customer)")
}
