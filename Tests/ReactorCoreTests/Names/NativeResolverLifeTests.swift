import Glibc
import ReactorTesting
import Synchronization
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct NativeResolverLifeTests {
    @Test func askersOfOneNameShareOneLookUp() async throws {
        try await withReactor { reactor in
            let server = try NameServer { query, _ in .message(query.answer(v4: v4, ttl: 0)) }
            defer { server.stop() }
            let resolver = resolver([server])
            let askers = (0..<20).map { number in
                reactor.startTask {
                    try? await ask(resolver, number % 2 == 0 ? "db.example" : "DB.Example", family: .ipv4)
                }
            }
            for asker in askers { #expect(await asker.value == ["192.0.2.1:80"]) }
            #expect(server.questions == ["db.example A"])
            #expect(resolver.flightCount == 0)
        }
    }

    @Test func lastOneToLeaveEndsTheLookUp() async throws {
        try await withReactor { reactor in
            let server = try NameServer { _, _ in .silence }
            let resolver = resolver([server]) { $0.timeout = .seconds(3600) }
            let watched = reactor.watchedDescriptors.count
            let askers = (0..<3).map { _ in
                reactor.startTask { () async -> (any Error)? in
                    do { _ = try await ask(resolver, "db.example") } catch { return error }
                    return nil
                }
            }
            while server.questions.count < 2 { await reactor.yield() }
            askers[0].cancel()
            #expect(await askers[0].value is CancellationError)
            #expect(resolver.flightCount == 1)
            askers[1].cancel()
            askers[2].cancel()
            for asker in askers { _ = await asker.value }
            #expect(resolver.flightCount == 0)
            while reactor.watchedDescriptors.count > watched { await reactor.yield() }
            let error = await failure {
                try await ask(resolver, "db.example", timeout: .milliseconds(2))
            }
            #expect(error?.isTimeout == true)
            #expect(error?.message.contains("\"db.example\"") == true)
            server.stop()
        }
    }

    @Test func lookUpsBeyondTheLimitWaitTheirTurn() async throws {
        try await withReactor { reactor in
            var open = 0
            var most = 0
            let server = try NameServer { query, _ in
                open += 1
                most = max(most, open)
                reactor.callLater(.zero) { open -= 1 }
                return .message(query.answer(v4: v4))
            }
            defer { server.stop() }
            let resolver = resolver([server], lookUpLimit: 2)
            let askers = (0..<40).map { number in
                reactor.startTask { try? await ask(resolver, "h\(number).example", family: .ipv4) }
            }
            // Some leave the queue, and some a look-up.
            for number in stride(from: 0, to: 40, by: 3) { askers[number].cancel() }
            for (number, asker) in askers.enumerated() where number % 3 != 0 {
                #expect(await asker.value == ["192.0.2.1:80"])
            }
            #expect(most <= 2)
            #expect(resolver.flightCount == 0)
            while open > 0 { await reactor.yield() }
        }
    }

    /// Whatever the server does and whenever an asker gives up, nothing is left and every answer is right.
    @Test(arguments: [UInt64](0..<6)) func nothingIsLeftOfLookUpsGivenUp(seed: UInt64) async throws {
        try await withReactor { reactor in
            let random = Mutex(SeededGenerator(seed: seed))
            func draw(_ count: Int) -> Int { random.withLock { Int.random(in: 0..<count, using: &$0) } }
            let servers = try (0..<2).map { _ in
                try NameServer { query, isTCP in
                    switch draw(8) {
                    case 0: return isTCP ? .hangUp : .silence
                    case 1: return .message(query.answer(code: .serverFailure))
                    case 2:
                        var cut = query.answer()
                        cut.isTruncated = true
                        return .message(cut)
                    case 3: return .bytes((0..<draw(60)).map { _ in UInt8(draw(256)) })
                    case 4: return .message(query.answer([.cname(DNSName("other.example")!)], ttl: 0))
                    default: return .message(query.answer(v4: v4, ttl: UInt32(draw(2))))
                    }
                }
            }
            let resolver = resolver(servers, lookUpLimit: 3) {
                $0.timeout = .milliseconds(10)
                $0.attempts = 3
            }
            let watched = reactor.watchedDescriptors.count
            var askers: [Task<[String]?, Never>] = []
            for _ in 0..<60 {
                let host = "h\(draw(8)).example"
                askers.append(
                    reactor.startTask { try? await ask(resolver, host, timeout: .milliseconds(200)) })
                for _ in 0..<draw(4) { await reactor.yield() }
                if draw(2) == 0 { askers[draw(askers.count)].cancel() }
            }
            for asker in askers {
                let found = await asker.value
                #expect(found == nil || found == ["192.0.2.1:80"], "seed \(seed)")
            }
            #expect(resolver.flightCount == 0)
            // Those given up end in their own time.
            for _ in 0..<10_000 where reactor.watchedDescriptors.count > watched {
                try await reactor.sleep(for: .milliseconds(1))
            }
            #expect(reactor.watchedDescriptors.count == watched, "seed \(seed)")
            for server in servers { server.stop() }
        }
    }
}
