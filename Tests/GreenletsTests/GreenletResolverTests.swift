import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

@Suite struct GreenletResolverTests {
    /// Answers from a table after `delay` of real time; an empty table has no hosts.
    private func resolver(
        _ table: [String: String], timeouts: [Duration] = GreenletResolver.defaultTimeouts,
        holding gate: Gate? = nil
    ) -> GreenletResolver {
        let system = SystemResolver(threads: 1, hostsPath: "/nonexistent") {
            host, family throws(ReactorError) in
            gate?.wait()
            guard let text = table[host], let address = ResolvedAddress(numeric: text, port: 0) else {
                throw ReactorError(.nameNotFound, "the host \"\(host)\" has no address")
            }
            return [address]
        }
        return GreenletResolver(system, timeouts)
    }

    @Test func timeoutsOfTwistedAddUpToAMinute() {
        #expect(GreenletResolver().timeLimit == .seconds(60))
        #expect(
            GreenletResolver(timeouts: [.seconds(1), .milliseconds(500)]).timeLimit == .milliseconds(1500))
    }

    @Test(.onReactor)
    @ReactorActor func greenletParksForAName() async throws {
        let gate = Gate()
        let resolver = resolver(["films.test": "192.0.2.7"], holding: gate)
        let greenlet = Greenlet.spawn { try resolver.addresses(of: "films.test", port: 80) }
        let other = Greenlet.spawn { gate.open() }
        try await other.join()
        let addresses = try await greenlet.get()
        #expect(addresses.map(\.description) == ["192.0.2.7:80"])
    }

    @Test(.onReactor)
    @ReactorActor func reactorResolvesThroughIt() async throws {
        reactor.installResolver(resolver(["films.test": "192.0.2.7"]))
        let addresses = try await reactor.resolve(host: "films.test", port: 80)
        #expect(addresses.map(\.description) == ["192.0.2.7:80"])
        let error = await #expect(throws: ReactorError.self) {
            try await reactor.resolve(host: "none.test", port: 80)
        }
        #expect(error?.code == .nameNotFound)
    }

    @Test(.onReactor(clock: ManualClock()), arguments: [false, true])
    @ReactorActor func timeIsCountedInAllFromTheCall(_ isFromGreenlet: Bool) async throws {
        let gate = Gate()
        let resolver = resolver(["films.test": "192.0.2.7"], holding: gate)
        let greenlet =
            isFromGreenlet
            ? Greenlet.spawn { () throws -> [ResolvedAddress] in try resolver.addresses(of: "films.test") }
            : Greenlet.spawn { () async throws -> [ResolvedAddress] in
                try await resolver.resolve(host: "films.test", port: 0, family: .any, timeout: nil)
            }
        greenlet.onReady {}  // somebody hears of its error
        await ManualClock.current.pump([.zero, .milliseconds(59_999)])
        #expect(!greenlet.isReady)
        await ManualClock.current.pump([.milliseconds(1)])
        let error = await #expect(throws: ReactorError.self) { try await greenlet.get() }
        #expect(error?.code == .timedOut && error?.message.contains("films.test") == true)
        gate.open()
    }

    @Test func threadWithoutAReactorIsBlocked() async throws {
        let resolver = resolver(["films.test": "192.0.2.7"])
        let answer = try await onThread { try resolver.addresses(of: "films.test", port: 80) }
        #expect(answer.map(\.description) == ["192.0.2.7:80"])
        let numeric = try await onThread { try resolver.addresses(of: "::1", port: 81) }
        #expect(numeric.map(\.description) == ["[::1]:81"])
        for (host, port, code) in [
            ("none.test", 1, ReactorError.Code.nameNotFound), ("a..b", 1, .nameNotFound),
            ("films.test", 65_536, .invalidArgument),
        ] {
            let error = await #expect(throws: ReactorError.self) {
                try await onThread { try resolver.addresses(of: host, port: port) }
            }
            #expect(error?.code == code)
        }
    }

    @Test func blockedThreadGivesUpAfterTheTimeInAll() async throws {
        let gate = Gate()
        let resolver = resolver([:], timeouts: [.milliseconds(5), .milliseconds(15)], holding: gate)
        let error = await #expect(throws: ReactorError.self) {
            try await onThread { try resolver.addresses(of: "films.test") }
        }
        #expect(error?.code == .timedOut && error?.message.contains("0.02 seconds") == true)
        gate.open()
    }

    @Test(.onReactor)
    @ReactorActor func reactorsThreadIsNotBlocked() {
        let resolver = resolver([:])
        #expect { try resolver.addresses(of: "films.test") } throws: {
            ($0 as? GreenletError)?.code == .notInGreenlet
        }
    }

    private func onThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withReactor { _ in
            let pool = ThreadPool(limit: 1)
            let result: Result<Value, any Error>
            do { result = .success(try await pool.run(body)) } catch { result = .failure(error) }
            try await pool.stopAndWait()
            return result
        }.get()
    }
}

/// Holds threads back until it is opened.
private final class Gate: @unchecked Sendable {  // `isOpen` is used under the monitor
    private let monitor = ThreadMonitor()
    private var isOpen = false

    func open() {
        monitor.withLock {
            isOpen = true
            monitor.broadcast()
        }
    }

    func wait() { monitor.withLock { while !isOpen { monitor.wait() } } }
}
