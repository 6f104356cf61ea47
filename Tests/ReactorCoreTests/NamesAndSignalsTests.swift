import ReactorCore
import ReactorTesting
import Testing

@Suite struct NamesTests {
    @Test(arguments: [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")])
    func numericHostsNeverReachAThread(_ host: String, _ expected: String) async throws {
        try await withReactor { reactor in
            let addresses = try await reactor.resolve(host: host, port: 80)
            #expect(addresses.map(\.description) == [expected])
            #expect(reactor.threadPool.threadCount == 0)
        }
    }

    @Test func namesAreLookedUpOnAWorker() async throws {
        try await withReactor { reactor in
            let addresses = try await reactor.resolve(host: "localhost", port: 1)
            #expect(addresses.contains { $0.host == "127.0.0.1" || $0.host == "::1" })
        }
    }

    @Test func unknownNameIsNamedInTheError() async throws {
        try await withReactor { reactor in
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.resolve(host: "no such host", port: 1)
            }
            #expect(error?.code == .nameNotFound)
            #expect(error?.message.contains("no such host") == true)
        }
    }
}
