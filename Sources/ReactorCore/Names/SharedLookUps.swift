/// The look-ups that are under way: however many tasks ask for one name and family at a time, one look-up answers all.
///
/// A task that gives up, by cancellation or time-out, leaves the look-up to the others; when the last one leaves, it is
/// abandoned. What is left of a task's time counts from when the look-up begins: it may have to wait for its turn.
@ReactorActor
final class SharedLookUps {
    struct Query: Hashable {
        let host: String
        let family: AddressFamily

        /// The trailing dot makes a difference to the search list; capitals make none.
        init(_ name: HostName, _ family: AddressFamily) {
            host = name.text.lowercased()
            self.family = family
        }
    }

    /// One look-up, and who waits for it.
    @ReactorActor final class Flight {
        let query: Query
        fileprivate var passengers: [UInt64: Passenger] = [:]
        fileprivate var hasBegun = false
        /// Ends it; false when it cannot be ended: then it lands in its time, and who asks meanwhile joins it.
        fileprivate var abandon: () -> Bool = { false }

        fileprivate init(_ query: Query) { self.query = query }
    }

    fileprivate struct Passenger {
        let waiter: Waiter<[ResolvedAddress]>
        let timeout: Duration?
        var timer: DelayedCall?
    }

    private var flights: [Query: Flight] = [:]
    private var lastPassenger: UInt64 = 0

    nonisolated init() {}

    /// How many names are being looked up, or wait to be.
    var count: Int { flights.count }

    /// The addresses that the look-up of `query` under way finds, or the one that `depart` starts.
    ///
    /// `depart` returns at once, and a closure that ends the look-up; `begin` and `land` follow.
    /// - Throws: what `depart` throws, what the look-up comes to, `CancellationError`; `ReactorError` with code
    ///   `timedOut`.
    func addresses(
        of query: Query, timeout: Duration?, depart: (Flight) throws(ReactorError) -> () -> Bool
    ) async throws -> [ResolvedAddress] {
        let flight = try flights[query] ?? start(query, depart)
        lastPassenger += 1
        let number = lastPassenger
        let waiter = Waiter<[ResolvedAddress]>(on: .current, for: .name)
        flight.passengers[number] = Passenger(waiter: waiter, timeout: timeout)
        if flight.hasBegun { startTimer(of: number, on: flight) }
        defer { leave(number, flight) }
        return try await waiter.wait()
    }

    private func start(
        _ query: Query, _ depart: (Flight) throws(ReactorError) -> () -> Bool
    ) throws(ReactorError) -> Flight {
        let flight = Flight(query)
        flight.abandon = try depart(flight)
        flights[query] = flight
        return flight
    }

    /// A look-up has its turn: now the time of those who wait runs.
    func begin(_ flight: Flight) {
        flight.hasBegun = true
        for number in flight.passengers.keys { startTimer(of: number, on: flight) }
    }

    /// A look-up has come to its end.
    func land(_ flight: Flight, _ result: Result<[ResolvedAddress], any Error>) {
        // One that was abandoned has made way for another.
        if flights[flight.query] === flight { flights[flight.query] = nil }
        for passenger in flight.passengers.values {
            switch result {
            case .success(let addresses): passenger.waiter.resume(returning: addresses)
            case .failure(let error): passenger.waiter.resume(throwing: error)
            }
        }
    }

    private func startTimer(of number: UInt64, on flight: Flight) {
        guard let passenger = flight.passengers[number], let timeout = passenger.timeout else { return }
        let host = String(reflecting: flight.query.host)
        flight.passengers[number]?.timer = Reactor.current.callInternallyLater(max(.zero, timeout)) {
            passenger.waiter.resume(
                throwing: ReactorError(.timedOut, "looking up the host \(host) took longer than \(timeout)"))
        }
    }

    private func leave(_ number: UInt64, _ flight: Flight) {
        flight.passengers.removeValue(forKey: number)?.timer?.cancelIfActive()
        guard flight.passengers.isEmpty, flights[flight.query] === flight else { return }
        if flight.abandon() { flights[flight.query] = nil }
    }
}
