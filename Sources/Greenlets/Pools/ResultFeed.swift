import DequeModule
import ReactorCore

/// Starts one greenlet for each input and keeps their outcomes until they are asked for: what is under `map` and the
/// sequences of results.
///
/// A greenlet of its own, the producer, takes the inputs one by one and waits for slots.
@ReactorActor
final class ResultFeed<Output: Sendable> {
    /// Starts the greenlet of one input.
    typealias Launch = @ReactorActor () -> Greenlet<Output>
    /// The next input's; nil after the last.
    typealias Inputs = @ReactorActor () async throws -> Launch?

    private let order: ResultOrder
    private let reactor = Reactor.current
    /// As many permits as there may be greenlets running or outcomes unread; nil for any number.
    private let pace: GreenletSemaphore?
    /// Outcomes in the order in which they are to be read.
    private var ready: Deque<Result<Output, any Error>> = []
    /// Outcomes that came before their turn, by the number of their input.
    private var early: [Int: Result<Output, any Error>] = [:]
    /// How many inputs have been started, have ended, and have been put into `ready`.
    private var startedCount = 0
    private var endedCount = 0
    private var readyCount = 0
    private var areInputsOver = false
    /// The error of the inputs themselves.
    private var inputError: (any Error)?
    private let readers = ParkingLine()
    /// The greenlets under way, by the number of their input.
    private var workers: [Int: Greenlet<Output>] = [:]
    private var producer: AnyGreenlet?
    /// Nobody wants more results.
    private var isStopped = false

    /// Starts to take inputs, in a coming turn.
    init(_ pool: GreenletPool, _ order: ResultOrder, maxBuffered: Int?, _ inputs: @escaping Inputs) {
        self.order = order
        // A member of the pool has its slot while it waits for results here. It lends it, to one input at a time.
        let lends = pool.group.containsCaller
        pace = maxBuffered.map { GreenletSemaphore($0) }
        let producer = Greenlet.spawn(name: "pool-inputs") { () async throws -> Void in
            try await self.produce(pool, lends: lends, inputs)
        }
        self.producer = producer
        // However it ends, before its first step too.
        producer.whenReady { self.endInputs($0) }
    }

    private func produce(_ pool: GreenletPool, lends: Bool, _ inputs: Inputs) async throws {
        while true {
            try await pace?.acquire()
            guard let launch = try await inputs() else { return }
            if !lends { _ = try await pool.takeSlot() }
            // stop() may have come after the input or the slot, and before this task's turn.
            guard !isStopped else {
                if !lends { pool.slots.giveBack() }
                return
            }
            let worker = launch()
            if !lends { pool.fillSlot(worker) }
            let number = startedCount
            startedCount += 1
            workers[number] = worker
            worker.whenReady { self.end(number, $0) }
            if lends { try await worker.join() }
        }
    }

    private func endInputs(_ result: Result<Void, any Error>) {
        producer = nil
        areInputsOver = true
        if case .failure(let error) = result { inputError = error }
        endIfDone()
    }

    private func end(_ number: Int, _ result: Result<Output, any Error>) {
        endedCount += 1
        workers[number] = nil
        switch (order, result) {
        case (.ofEnd, _): ready.append(result)
        case (.ofInputUntilError, .failure): ready.prepend(result)
        case (.ofInput, _), (.ofInputUntilError, _): line(up: result, number)
        }
        endIfDone()
        if !ready.isEmpty { readers.openFirst() }
    }

    /// Lets an outcome be read when those of all inputs before it can be.
    private func line(up result: Result<Output, any Error>, _ number: Int) {
        guard number == readyCount else {
            early[number] = result
            return
        }
        ready.append(result)
        readyCount += 1
        while !early.isEmpty, let next = early.removeValue(forKey: readyCount) {
            ready.append(next)
            readyCount += 1
        }
    }

    private func endIfDone() {
        guard areInputsOver, endedCount == startedCount else { return }
        if let error = inputError {
            inputError = nil
            ready.append(.failure(error))
        }
        readers.openAll()
    }

    /// The next outcome; parks the calling task until there is one. Nil when there is none to come.
    func next() async throws -> Result<Output, any Error>? {
        while true {
            if let result = ready.popFirst() {
                // Without a limit, so it cannot throw.
                try pace?.release()
                return result
            }
            if areInputsOver, endedCount == startedCount { return nil }
            let place = Latch(on: reactor, for: .subject(self))
            readers.append(place)
            try await place.waitUntilOpen()
        }
    }

    /// Takes no more inputs and kills what is under way: nobody wants the results.
    func stop() {
        isStopped = true
        producer?.cancel()
        for worker in workers.values { worker.cancel() }
    }
}

extension ResultFeed: WaitSubject {
    /// `results of a pool`.
    nonisolated var waitDescription: String { "results of a pool" }

    /// The tasks that work at them; the producer when there is none.
    nonisolated var holders: [UInt] {
        // Called on the reactor, as the protocol says.
        ReactorActor.assumeIsolated {
            workers.isEmpty
                ? producer?.taskAddress.map { [$0] } ?? [] : workers.values.compactMap(\.taskAddress)
        }
    }
}
