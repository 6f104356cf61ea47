import LocalPostgres
import Postgres
import ReactorCore
import Testing
import Transports

/// What a client of the lookup service sees, in both styles, on real PostgreSQL. Rows 1 to 3 of the source scenarios.
@Suite struct LookupServerTests {
    @Test(arguments: TestService.Style.allCases)
    func knownCodesAreAnsweredWithTheirPackets(_ style: TestService.Style) async throws {
        try await TestService.run { service in
            let client = try await service.connect(style)
            var answer = try await client.ask("12345678901234567890")
            #expect(answer == "dummypacketmaker012345678Dummy_12345")
            answer = try await client.ask("abcdefghijklmnopqrst")
            #expect(answer == "dummypacketmaker012345678Dummy_klmno")
            client.loseConnection()
        }
    }

    @Test(arguments: TestService.Style.allCases)
    func emptyLineSaysGoodByeAndCloses(_ style: TestService.Style) async throws {
        try await TestService.run { service in
            let client = try await service.connect(style)
            let answer = try await client.ask("")
            #expect(answer == "Good bye")
            let end = try await client.nextLine()
            #expect(end == nil)
        }
    }

    @Test(arguments: TestService.Style.allCases)
    func bareLineFeedsAndPipelinedLinesAreAnsweredInOrder(_ style: TestService.Style) async throws {
        try await TestService.run { service in
            let client = try await service.connect(style)
            client.sendBytes(Array("12345678901234567890\nshort\nabcdefghijklmnopqrst\r\n\n".utf8))
            var answers: [String] = []
            while let line = try await client.nextLine() { answers.append(line) }
            #expect(answers.count == 4)
            #expect(answers.first == "dummypacketmaker012345678Dummy_12345")
            #expect(
                answers.dropFirst().first?.hasPrefix("error: a line needs at least 15 characters") == true)
            #expect(Array(answers.suffix(2)) == ["dummypacketmaker012345678Dummy_klmno", "Good bye"])
        }
    }

    @Test(arguments: TestService.Style.allCases)
    func wrongLinesGetOneErrorLineAndTheConnectionStays(_ style: TestService.Style) async throws {
        try await TestService.run { service in
            let client = try await service.connect(style)
            var answer = try await client.ask("too short")
            #expect(answer?.hasPrefix("error: ") == true)
            answer = try await client.ask("0123456789zzzzz")
            #expect(answer == "error: no client has the code \"zzzzz\"")
            client.sendBytes([0xff, 0xfe] + Array("0123456789zzzzz\r\n".utf8))
            answer = try await client.nextLine()
            #expect(answer?.hasPrefix("error: ") == true && answer?.contains("UTF-8") == true)
            answer = try await client.ask("0123456789'; DROP TABLE clients; --")
            #expect(answer?.hasPrefix("error: no client has the code") == true)
            answer = try await client.ask("12345678901234567890")
            #expect(answer == "dummypacketmaker012345678Dummy_12345", "still there")
            client.loseConnection()
        }
    }

    @Test(arguments: TestService.Style.allCases)
    func lineOverTheLimitIsAnErrorAndCloses(_ style: TestService.Style) async throws {
        try await TestService.run { service in
            let client = try await service.connect(style)
            client.sendBytes([UInt8](repeating: UInt8(ascii: "x"), count: 17_000))
            let answer = try await client.nextLine()
            #expect(answer?.hasPrefix("error: ") == true && answer?.contains("16384") == true)
            let end = try await client.nextLine()
            #expect(end == nil)
        }
    }

    @Test(arguments: TestService.Style.allCases)
    func errorOfTheDatabaseIsOneLineAndTheConnectionStays(_ style: TestService.Style) async throws {
        try await TestService.run { service in
            let client = try await service.connect(style)
            try await service.pool.execute("ALTER TABLE clients RENAME TO clients_away")
            var answer = try await client.ask("12345678901234567890")
            #expect(answer?.hasPrefix("error: ") == true && answer?.contains("clients") == true)
            try await service.pool.execute("ALTER TABLE clients_away RENAME TO clients")
            answer = try await client.ask("12345678901234567890")
            #expect(answer == "dummypacketmaker012345678Dummy_12345")
            client.loseConnection()
        }
    }

    @Test(arguments: TestService.Style.allCases)
    func clientThatStopsSendingStillGetsItsAnswers(_ style: TestService.Style) async throws {
        try await TestService.run(latency: .milliseconds(50)) { service in
            let client = try await service.connect(style)
            client.send("12345678901234567890")
            client.transport?.loseWriteConnection()
            let answer = try await client.nextLine()
            #expect(answer == "dummypacketmaker012345678Dummy_12345")
            let end = try await client.nextLine()
            #expect(end == nil)
        }
    }
}
