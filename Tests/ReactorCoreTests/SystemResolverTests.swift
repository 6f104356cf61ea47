import Glibc
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

@Suite struct SystemResolverTests {
    @Test func askersOfOneNameShareOneLookUp() async throws {
        try await withReactor { reactor in
            let script = Script()
            let resolver = script.resolver(threads: 4)
            let tasks = (0..<5).map { number in
                // Capitals do not make another name; the port is no part of the question.
                ask(resolver, number == 0 ? "DB.example" : "db.example", port: number)
            }
            let other = ask(resolver, "db.example", port: 9, family: .ipv4)
            while script.running < 2 { await reactor.yield() }
            #expect(resolver.flightCount == 2)
            script.open()
            for (number, task) in tasks.enumerated() {
                let addresses = try await task.value
                #expect(addresses.map(\.description) == ["192.0.2.1:\(number)"])
            }
            _ = try await other.value
            #expect(script.questions == ["db.example any", "db.example ipv4"])
            #expect(resolver.flightCount == 0)
        }
    }

    @Test func lookUpsAreBoundedAndInOrderAndLeaveTheReactorsPoolAlone() async throws {
        try await withReactor { reactor in
            let script = Script()
            let resolver = script.resolver(threads: 2)
            let tasks = (0..<6).map { ask(resolver, "h\($0).example") }
            while script.running < 2 || resolver.pool.queuedCount < 4 { await reactor.yield() }
            #expect(resolver.pool.threadCount == 2)
            // However many look-ups hang, work in threads goes on.
            let value = try await reactor.threadPool.run { 1 }
            #expect(value == 1)
            script.open()
            for task in tasks { _ = try await task.value }
            #expect(script.most == 2)
            #expect(Set(script.questions.prefix(2)) == ["h0.example any", "h1.example any"])
            #expect(script.questions.count == 6)
        }
    }

    @Test func oneWhoGivesUpDoesNotDisturbTheOthers() async throws {
        try await withReactor { reactor in
            let script = Script()
            let resolver = script.resolver(threads: 1)
            let tasks = (0..<3).map { _ in ask(resolver, "db.example") }
            while script.running < 1 { await reactor.yield() }
            tasks[0].cancel()
            await #expect(throws: CancellationError.self) { try await tasks[0].value }
            script.open()
            for task in tasks.dropFirst() {
                let addresses = try await task.value
                #expect(addresses.map(\.host) == ["192.0.2.1"])
            }
            #expect(script.questions.count == 1)
        }
    }

    @Test func lastOneToLeaveDropsAQueuedLookUp() async throws {
        try await withReactor { reactor in
            let script = Script()
            let resolver = script.resolver(threads: 1)
            let first = ask(resolver, "a.example")
            let queued = (0..<2).map { _ in ask(resolver, "b.example") }
            while script.running < 1 || resolver.flightCount < 2 { await reactor.yield() }
            queued[0].cancel()
            _ = await queued[0].result
            #expect(resolver.pool.queuedCount == 1)
            queued[1].cancel()
            _ = await queued[1].result
            #expect(resolver.pool.queuedCount == 0 && resolver.flightCount == 1)
            script.open()
            _ = try await first.value
            #expect(script.questions == ["a.example any"])
        }
    }

    @Test func whoAsksForAnAbandonedLookUpThatRunsJoinsIt() async throws {
        try await withReactor { reactor in
            let script = Script()
            let resolver = script.resolver(threads: 1)
            let first = ask(resolver, "db.example")
            while script.running < 1 { await reactor.yield() }
            first.cancel()
            _ = await first.result
            let second = ask(resolver, "db.example")
            await reactor.yield()
            script.open()
            _ = try await second.value
            #expect(script.questions.count == 1)
        }
    }

    @Test func timeoutBeginsWhenTheLookUpRuns() async throws {  // tw#2132
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            let script = Script()
            let resolver = script.resolver(threads: 1)
            let patient = ask(resolver, "a.example", timeout: nil)
            let queued = ask(resolver, "b.example", timeout: .seconds(10))
            while script.running < 1 || resolver.flightCount < 2 { await reactor.yield() }
            clock.advance(by: .seconds(3600))
            for _ in 0..<20 { await reactor.yield() }
            #expect(reactor.delayedCallCount == 0, "no time runs for what is queued")
            script.answer("a.example")
            _ = try await patient.value
            while reactor.delayedCallCount == 0 { await reactor.yield() }
            clock.advance(by: .seconds(9))
            let late = ask(resolver, "b.example", timeout: .seconds(10))  // its own ten seconds
            while reactor.delayedCallCount < 2 { await reactor.yield() }
            clock.advance(by: .seconds(1))
            let error = await #expect(throws: ReactorError.self) { try await queued.value }
            #expect(error?.code == .timedOut)
            #expect(error?.message.contains("\"b.example\"") == true)
            #expect(reactor.delayedCallCount == 1)
            script.open()
            _ = try await late.value
        }
    }

    @Test func deadlineOfTheCallerHoldsInTheQueueToo() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            let script = Script()
            let resolver = script.resolver(threads: 1)
            reactor.installResolver(resolver)
            let first = ask(resolver, "a.example", timeout: nil)
            let asked = Deferred {
                try await reactor.resolve(
                    host: "b.example", port: 1, until: reactor.now.advanced(by: .seconds(5)))
            }
            while resolver.flightCount < 2 { await reactor.yield() }
            clock.advance(by: .seconds(5))
            let error = await #expect(throws: ReactorError.self) { try await asked.value }
            #expect(error?.code == .timedOut)
            #expect(error?.message.contains("\"b.example\"") == true)
            #expect(resolver.flightCount == 1)
            script.open()
            _ = try await first.value
        }
    }

    @Test func errorReachesEveryAskerAndIsNotRemembered() async throws {
        try await withReactor { reactor in
            let script = Script()
            let resolver = script.resolver(threads: 1)
            let failure = ReactorError(.nameServiceFailed, "the host \"db.example\" could not be looked up")
            script.failures.withLock { $0["db.example"] = failure }
            let tasks = (0..<3).map { _ in ask(resolver, "db.example") }
            while script.running < 1 { await reactor.yield() }
            script.open()
            for task in tasks {
                let error = await #expect(throws: ReactorError.self) { try await task.value }
                #expect(error?.code == .nameServiceFailed)
            }
            script.failures.withLock { $0 = [:] }
            let again = try await ask(resolver, "db.example").value
            #expect(again.count == 1)
        }
    }

    @Test func hostsFileAnswersWithoutAThreadAndIsReadAgainWhenItChanges() async throws {
        try await withReactor { reactor in
            let file = TemporaryFile("192.0.2.7 db.example\n::2 six.example\n")
            let script = Script()
            script.open()
            let resolver = script.resolver(threads: 1, hostsPath: file.path)
            let old = try await ask(resolver, "DB.example.", port: 5).value
            #expect(old.map(\.description) == ["192.0.2.7:5"])
            file.write("# moved\n192.0.2.8 db.example\n")
            let new = try await ask(resolver, "db.example").value
            #expect(new.map(\.host) == ["192.0.2.8"])
            #expect(resolver.pool.threadCount == 0 && script.questions.isEmpty)
            // Not in the file, or not of the family: the system is asked.
            _ = try await ask(resolver, "db.example", family: .ipv6).value
            _ = try await ask(resolver, "six.example").value
            #expect(script.questions == ["db.example ipv6", "six.example any"])
            file.remove()
            _ = try await ask(resolver, "db.example").value
            #expect(script.questions.last == "db.example any")
        }
    }

    @Test func hostsFileTooLongForTheLoopIsLeftToTheSystem() async throws {
        try await withReactor { reactor in
            let file = TemporaryFile(
                "192.0.2.7 db.example\n" + String(repeating: "0.0.0.0 ads.example\n", count: 4_000))
            let script = Script()
            script.open()
            _ = try await ask(script.resolver(threads: 1, hostsPath: file.path), "db.example").value
            #expect(script.questions == ["db.example any"])
        }
    }

    /// Askers of a few names that come, give up and time out at random, while look-ups end at random.
    @Test func everyAskerEndsWhateverRacesWithTheLookUp() async throws {
        let seed = UInt64.random(in: .min ... .max)
        try await withReactor { reactor in
            var generator = SeededGenerator(seed: seed)
            let script = Script()
            script.open()
            let resolver = script.resolver(threads: 2)
            var tasks: [Asker] = []
            for _ in 0..<1_000 {
                let name = "h\(Int.random(in: 0..<5, using: &generator)).example"
                let timeout = Duration.microseconds(Int.random(in: 0..<400, using: &generator))
                tasks.append(
                    ask(resolver, name, timeout: Bool.random(using: &generator) ? timeout : nil))
                if Int.random(in: 0..<3, using: &generator) == 0 {
                    tasks.randomElement(using: &generator)?.cancel()
                }
                if Int.random(in: 0..<4, using: &generator) == 0 { await reactor.yield() }
            }
            for task in tasks {
                switch await task.result {
                case .success(let addresses): #expect(addresses.count == 1, "seed \(seed)")
                case .failure(let error):
                    let isTimeout = (error as? ReactorError)?.isTimeout == true
                    #expect(isTimeout || error is CancellationError, "seed \(seed)")
                }
            }
            while resolver.flightCount > 0 { await reactor.yield() }
            #expect(resolver.pool.queuedCount == 0)
        }
    }
}

/// Asks in a task of its own; tasks ask in the order they were made.
@ReactorActor private func ask(
    _ resolver: SystemResolver, _ host: String, port: Int = 1, family: AddressFamily = .any,
    timeout: Duration? = .seconds(60)
) -> Asker {
    Asker(
        task: Reactor.current.startTask { () async -> Result<[ResolvedAddress], any Error> in
            do {
                return .success(
                    try await resolver.resolve(host: host, port: port, family: family, timeout: timeout))
            } catch { return .failure(error) }
        })
}

private struct Asker {
    let task: Task<Result<[ResolvedAddress], any Error>, Never>

    var result: Result<[ResolvedAddress], any Error> { get async { await task.value } }
    var value: [ResolvedAddress] { get async throws { try await task.value.get() } }
    func cancel() { task.cancel() }
}

/// Stands in for getaddrinfo: blocks its thread until it may answer.
private final class Script: Sendable {
    private struct State {
        var questions: [String] = []
        var running = 0
        var most = 0
        var answered: Set<String> = []
    }

    private let state = Mutex(State())
    private let gate = SharedFlag()
    let failures = Mutex<[String: ReactorError]>([:])

    var questions: [String] { state.withLock { $0.questions } }
    var running: Int { state.withLock { $0.running } }
    var most: Int { state.withLock { $0.most } }

    /// Answers everything from now on.
    func open() { gate.set() }

    /// Answers one name.
    func answer(_ host: String) { state.withLock { _ = $0.answered.insert(host) } }

    @ReactorActor func resolver(threads: Int, hostsPath: String = "/nonexistent") -> SystemResolver {
        SystemResolver(threads: threads, hostsPath: hostsPath) { host, family throws(ReactorError) in
            self.state.withLock {
                $0.questions.append("\(host) \(family)")
                $0.running += 1
                $0.most = max($0.most, $0.running)
            }
            while !self.gate.isSet, !self.state.withLock({ $0.answered.contains(host) }) { usleep(200) }
            self.state.withLock { $0.running -= 1 }
            if let error = self.failures.withLock({ $0[host] }) { throw error }
            return [ResolvedAddress(numeric: "192.0.2.1", port: 0)].compactMap(\.self)
        }
    }
}

/// A file that is gone with the object.
private final class TemporaryFile {
    let path: String

    init(_ text: String) {
        var template = Array("/tmp/reactor-hosts.XXXXXX".utf8CString)
        close(mkstemp(&template))
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        write(text)
    }

    deinit { remove() }

    /// Replaces the file, as editors do: by another of the same name.
    func write(_ text: String) {
        guard let file = fopen(path + ".new", "w") else { return }
        fputs(text, file)
        fclose(file)
        rename(path + ".new", path)
    }

    func remove() { unlink(path) }
}
