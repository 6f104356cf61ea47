import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct NativeResolverTests {
    @Test func bothFamiliesAreAskedForAndSorted() async throws {
        try await withReactor { reactor in
            let server = try NameServer { query, _ in
                .message(
                    query.answer(v4: v4, v6: [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]))
            }
            defer { server.stop() }
            reactor.installResolver(resolver([server]))
            let found = try await reactor.resolve(host: "db.example", port: 80)
            #expect(found.map(\.description) == ["[2001:db8::1]:80", "192.0.2.1:80"])
            #expect(Set(server.questions) == ["db.example A", "db.example AAAA"])
            let ipv4 = try await reactor.resolve(host: "db.example", port: 81, family: .ipv4)
            #expect(ipv4.map(\.description) == ["192.0.2.1:81"])
            #expect(server.questions.count == 2, "the rest was remembered")
        }
    }

    @Test func lostDatagramsAreAskedForAgain() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in
            var count = 0
            let server = try NameServer { query, _ in
                count += 1
                return count <= 2 ? .silence : .message(query.answer(v4: v4))
            }
            defer { server.stop() }
            let resolver = resolver([server])
            let asker = reactor.startTask { try? await ask(resolver, "db.example", family: .ipv4) }
            for round in 1...2 {
                while count < round { await reactor.yield() }
                clock.advance(by: .seconds(30))
            }
            #expect(await asker.value == ["192.0.2.1:80"])
            #expect(server.questions.count == 3)
            #expect(Set(server.ports).count == 3, "each question has a port of its own")
        }
    }

    @Test func longAnswerIsAskedForByTCP() async throws {
        try await withReactor { _ in
            let server = try NameServer { query, isTCP in
                var answer = query.answer((1...200).map { .a([10, 0, 0, $0]) })
                if !isTCP {
                    answer.isTruncated = true
                    answer.answers = Array(answer.answers.prefix(3))
                }
                return .message(answer)
            }
            defer { server.stop() }
            let found = try await ask(resolver([server]), "db.example", family: .ipv4)
            #expect(found.count == 200)
            #expect(found.first == "10.0.0.1:80")
            #expect(server.tcpCount == 1)
        }
    }

    @Test func serverThatHangsUpIsFollowedByTheNext() async throws {
        try await withReactor { _ in
            let first = try NameServer { query, isTCP in
                var answer = query.answer()
                answer.isTruncated = true
                return isTCP ? .hangUp : .message(answer)
            }
            let second = try NameServer { query, _ in .message(query.answer(v4: v4)) }
            defer {
                first.stop()
                second.stop()
            }
            #expect(
                try await ask(resolver([first, second]), "db.example", family: .ipv4) == ["192.0.2.1:80"])
            #expect(first.tcpCount == 1)
        }
    }

    @Test func answersToOtherQuestionsAreNotTaken() async throws {
        try await withReactor { _ in
            let server = try NameServer { query, _ in
                var wrongID = query.answer(v4: [6, 6, 6, 1])
                wrongID.id ^= 1
                var wrongName = query.answer(v4: [6, 6, 6, 2])
                wrongName.questions[0].name = DNSName("evil.example")!
                var wrongType = query.answer(v4: [6, 6, 6, 3])
                wrongType.questions[0].type = 99
                var noQuestion = query.answer(v4: [6, 6, 6, 4])
                noQuestion.questions = []
                var noResponse = query.answer(v4: [6, 6, 6, 5])
                noResponse.isResponse = false
                var right = query.answer(v4: v4)
                right.questions[0].name = DNSName("DB.example")!
                return .several(
                    [wrongID, wrongName, wrongType, noQuestion, noResponse].map { .message($0) }
                        + [.bytes([1, 2, 3]), .message(right)])
            }
            defer { server.stop() }
            #expect(try await ask(resolver([server]), "db.example", family: .ipv4) == ["192.0.2.1:80"])
            #expect(server.questions.count == 1)
        }
    }

    @Test func drawnCaseMustComeBack() async throws {
        try await withReactor { _ in
            let name = "a-long-name-of-a-host-in-a-domain.example"
            let server = try NameServer { query, _ in
                var folded = query.answer(v4: [6, 6, 6, 6])
                folded.questions[0].name = DNSName(name)!
                return .several([.message(folded), .message(query.answer(v4: v4))])
            }
            defer { server.stop() }
            let resolver = resolver([server]) { $0.randomizesCase = true }
            #expect(try await ask(resolver, name, family: .ipv4) == ["192.0.2.1:80"])
        }
    }

    @Test func secondServerIsAskedWhenTheFirstFails() async throws {
        try await withReactor { _ in
            let first = try NameServer { query, _ in .message(query.answer(code: .serverFailure)) }
            let second = try NameServer { query, _ in .message(query.answer(v4: v4)) }
            defer {
                first.stop()
                second.stop()
            }
            #expect(
                try await ask(resolver([first, second]), "db.example", family: .ipv4) == ["192.0.2.1:80"])
            #expect(first.questions.count == 1)
            let rotating = resolver([second, first]) { $0.rotatesServers = true }
            for host in ["a.example", "b.example", "c.example"] {
                _ = try await ask(rotating, host, family: .ipv4)
            }
            #expect(first.questions == ["db.example A", "b.example A"])
        }
    }

    @Test func serverThatIsNotThereIsNoticedAtOnce() async throws {
        try await withReactor { reactor in
            // At an address that no other test binds a port of.
            let gone = try NameServer(host: "127.0.0.79") { _, _ in .silence }
            gone.stop()
            let server = try NameServer { query, _ in .message(query.answer(v4: v4)) }
            defer { server.stop() }
            let resolver = resolver([gone, server]) { $0.timeout = .seconds(3600) }
            #expect(try await ask(resolver, "db.example", family: .ipv4) == ["192.0.2.1:80"])
        }
    }
}
