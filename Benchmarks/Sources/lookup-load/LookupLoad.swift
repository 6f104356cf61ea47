import ArgumentParser
import GreenReactor

/// Loads a lookup service: each connection sends a line, waits for the answer, sends the next. No pipelining.
@main
struct LookupLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lookup-load", abstract: "Counts the answers of a lookup service and times them.")

    @Option(help: "Port of the service on 127.0.0.1.") var port = 3000
    @Option(help: "Connections, each with one line in flight.") var clients = 64
    @Option(help: "Seconds to measure, after one to warm up.") var seconds = 5

    func run() throws {
        let (port, clients, seconds) = (port, clients, seconds)
        let report = try Reactor.shared.run(until: {
            let load = Load()
            for _ in 0..<clients {
                _ = try await reactor.connectTCP("127.0.0.1", port: port) { LookupClient(load) }
            }
            try await reactor.sleep(for: .seconds(1))
            load.startMeasuring()
            try await reactor.sleep(for: .seconds(seconds))
            return load.report()
        })
        print(report)
    }
}

/// What all connections count together.
@ReactorActor
final class Load {
    private var microseconds: [Int64] = []
    private var start = ReactorInstant(nanoseconds: 0)
    private var isMeasuring = false

    func startMeasuring() {
        isMeasuring = true
        start = reactor.now
        microseconds.reserveCapacity(1_000_000)
    }

    func answered(after time: Duration) {
        if isMeasuring { microseconds.append(Int64(time / .microseconds(1))) }
    }

    func report() -> String {
        isMeasuring = false
        let seconds = start.duration(to: reactor.now) / .seconds(1)
        let sorted = microseconds.sorted()
        guard let last = sorted.last else { return "no answer came" }
        let rate = Int(Double(sorted.count) / seconds)
        return
            "\(rate) requests/s, median \(sorted[sorted.count / 2]) µs, 99 % \(sorted[sorted.count * 99 / 100]) µs, "
            + "longest \(last) µs"
    }
}

/// One connection.
final class LookupClient: LineReceiver {
    private let load: Load
    private var sent = ReactorInstant(nanoseconds: 0)
    private var number = Int.random(in: 0..<2)

    init(_ load: Load) {
        self.load = load
        super.init()
    }

    func connectionMade() { next() }

    func lineReceived(_ line: String) {
        guard line.hasPrefix("dummypacketmaker") else {
            print("unexpected answer: \(line)")
            return loseConnection()
        }
        load.answered(after: sent.duration(to: reactor.now))
        next()
    }

    private func next() {
        number += 1
        sent = reactor.now
        send(number.isMultiple(of: 2) ? "12345678901234567890" : "abcdefghijklmnopqrst")
    }
}
