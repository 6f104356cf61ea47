import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct NativeResolverOutcomeTests {
    @Test func failuresNameHostServerAndCause() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            let server = try NameServer { query, _ in .message(query.answer(code: .serverFailure)) }
            let silent = try NameServer { _, _ in .silence }
            defer {
                server.stop()
                silent.stop()
            }
            let resolver = resolver([server, silent]) {
                $0.timeout = .milliseconds(300)
                $0.attempts = 1
            }
            let asker = reactor.startTask {
                await outcome { try await ask(resolver, "db.example", family: .ipv4) }
            }
            while silent.questions.isEmpty { await reactor.yield() }
            clock.advance(by: .milliseconds(300))
            let result = await asker.value
            let error = #expect(throws: ReactorError.self) { try result.get() }
            #expect(error?.code == .nameServiceFailed)
            #expect(
                error?.message
                    == """
                    the host "db.example" could not be looked up: the name server \(server.address) answered SERVFAIL; \
                    the name server \(silent.address) did not answer within 0.3 seconds; asking again may help
                    """)
        }
    }

    @Test func namesWithoutAddressesAreToldApart() async throws {
        try await withReactor { reactor in
            let server = try NameServer { query, _ in
                query.questions[0].name == DNSName("gone.example")
                    ? .message(query.answer(code: .noSuchName, negativeTTL: 60))
                    : .message(query.answer(negativeTTL: 60))
            }
            defer { server.stop() }
            let resolver = resolver([server])
            let gone = await failure { try await ask(resolver, "gone.example", family: .ipv4) }
            #expect(gone?.code == .nameNotFound)
            #expect(
                gone?.message
                    == """
                    the host "gone.example" has no address: the name server \(server.address) says that there is no \
                    gone.example
                    """)
            let empty = await failure { try await ask(resolver, "empty.example", family: .ipv6) }
            #expect(empty?.code == .nameNotFound)
            #expect(empty?.message.hasSuffix("knows empty.example without an address of IPv6") == true)
            let before = server.questions.count
            _ = await failure { try await ask(resolver, "gone.example", family: .ipv4) }
            #expect(server.questions.count == before, "that there is none is remembered")
            resolver.removeCachedAnswers()
            _ = await failure { try await ask(resolver, "gone.example", family: .ipv4) }
            #expect(server.questions.count == before + 1)
        }
    }

    @Test func searchDomainsAndAliasesOfOtherAnswersAreFollowed() async throws {
        try await withReactor { _ in
            let server = try NameServer { query, _ in
                switch query.questions[0].name.description {
                case "db.two.example": .message(query.answer([.cname(DNSName("far.example")!)]))
                case "far.example": .message(query.answer(v4: v4))
                case let name where name.hasPrefix("round"):
                    .message(query.answer([.cname(DNSName("\(name)x")!)]))
                default: .message(query.answer(code: .noSuchName))
                }
            }
            defer { server.stop() }
            let resolver = resolver([server]) { $0.searchDomains = ["one.example", "two.example"] }
            #expect(try await ask(resolver, "db", family: .ipv4) == ["192.0.2.1:80"])
            #expect(server.questions == ["db.one.example A", "db.two.example A", "far.example A"])
            let endless = await failure { try await ask(resolver, "round.", family: .ipv4) }
            #expect(endless?.code == .nameServiceFailed)
        }
    }

    @Test func silentServersAreNotAskedForEverySearchDomain() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            let silent = try NameServer { _, _ in .silence }
            defer { silent.stop() }
            let resolver = resolver([silent]) {
                $0.searchDomains = ["one.example", "two.example"]
                $0.attempts = 2
            }
            let asker = reactor.startTask { await outcome { try await ask(resolver, "db", family: .ipv4) } }
            for round in 1...2 {
                while silent.questions.count < round { await reactor.yield() }
                clock.advance(by: .seconds(30))
            }
            let result = await asker.value
            let error = #expect(throws: ReactorError.self) { try result.get() }
            #expect(error?.code == .nameServiceFailed)
            #expect(silent.questions == ["db.one.example A", "db.one.example A"])
        }
    }

    @Test func serverWithoutExtensionsIsAskedWithoutThem() async throws {
        try await withReactor { _ in
            let server = try NameServer { query, _ in
                query.additionals.isEmpty
                    ? .message(query.answer(v4: v4)) : .message(query.answer(code: .formatError))
            }
            defer { server.stop() }
            let resolver = resolver([server]) { $0.usesEDNS0 = true }
            #expect(try await ask(resolver, "db.example", family: .ipv4) == ["192.0.2.1:80"])
        }
    }

    @Test func oneFamilyIsEnough() async throws {
        try await withReactor { _ in
            let server = try NameServer { query, _ in
                query.questions[0].type == DNSType.a
                    ? .message(query.answer(v4: v4)) : .message(query.answer(code: .serverFailure))
            }
            defer { server.stop() }
            #expect(try await ask(resolver([server]), "db.example") == ["192.0.2.1:80"])
        }
    }

    @Test func hostsFileComesFirst() async throws {
        try await withReactor { _ in
            let path = "/tmp/green-hosts-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            let file = try #require(fopen(path, "w"))
            fputs("192.0.2.77 Films.example films\n", file)
            fclose(file)
            defer { unlink(path) }
            let server = try NameServer { _, _ in .silence }
            defer { server.stop() }
            #expect(try await ask(resolver([server], hosts: path), "films") == ["192.0.2.77:80"])
            #expect(server.questions.isEmpty)
        }
    }
}
