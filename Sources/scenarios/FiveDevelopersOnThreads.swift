import ReactorCore
import Synchronization

/// The same day with five real threads, for blocking code that cannot be made to park.
///
/// Now two developers may ask for a customer at the same instant, so the queue needs a lock, and the compiler
/// insists on it: the `@ReactorActor` queue of the greenlets cannot be used in a `@Sendable` closure.
/// `deferToThreadPool` brings each developer's end back to the reactor as a Deferred.
let fiveDevelopersOnThreads = Scenario(
    "five-developers-on-threads", from: "A Python tale, example 2",
    "blocking code in five threads: a lock, and Deferreds to hear of the end"
) { stage in
    let pool = ThreadPool(limit: 5)
    defer { pool.stop() }
    let served = Mutex(0)
    let days = (0..<5).map { number in
        reactor.deferToThreadPool(pool) {
            stage.print("Goodmorning from developer \(number)")
            while true {
                let customer = served.withLock { served in
                    defer { served += 1 }
                    return served
                }
                guard customer < 15 else { break }
                installWordpress(for: "Customer \(customer)", on: stage)
            }
            stage.print("Bye from developer \(number)")
        }
    }
    for day in days { try await day.value }
}
