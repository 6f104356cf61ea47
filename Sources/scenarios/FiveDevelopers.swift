import Greenlets
import ReactorCore

/// Five developers, fifteen customers: five greenlets run the same blocking code side by side.
///
/// They take customers from one queue without a lock. All greenlets share one thread and give way only where
/// they wait, so nobody comes between looking at the queue and taking from it; for the same reason lines
/// never run into each other.
let fiveDevelopers = Scenario(
    "five-developers", from: "A Python tale, example 2",
    "blocking code in five greenlets: no threads, no locks"
) { stage in
    let customers = Customers(count: 15)
    let days = (0..<5).map { number in
        Greenlet.spawn {
            stage.print("Goodmorning from developer \(number)")
            while let customer = customers.next() { installWordpress(for: customer, on: stage) }
            stage.print("Bye from developer \(number)")
        }
    }
    for day in days { try await day.get() }
}

/// Who has not been served yet. Reactor only: that is all the protection it needs.
@ReactorActor
final class Customers {
    private let count: Int
    private var served = 0

    init(count: Int) { self.count = count }

    /// The next customer, or nil when all have been served.
    func next() -> String? {
        guard served < count else { return nil }
        defer { served += 1 }
        return "Customer \(served)"
    }
}
