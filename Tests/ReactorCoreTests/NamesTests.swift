import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct NamesTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("fe80::1%lo", "[fe80::1%lo]:80"),
        ("127.1", "127.0.0.1:80"),
    ])
    func numericHostReachesNoResolver(_ host: String, _ expected: String) async throws {
        try await withReactor { reactor in
            let resolver = MemoryResolver()
            reactor.installResolver(resolver)
            let addresses = try await reactor.resolve(host: host, port: 80)
            #expect(addresses.map(\.description) == [expected])
            #expect(resolver.questions.isEmpty)
        }
    }

    @Test(arguments: ["localhost", "LOCALHOST.", "db.localhost"])
    func localhostReachesNoResolver(_ host: String) async throws {
        try await withReactor { reactor in
            let resolver = MemoryResolver()
            reactor.installResolver(resolver)
            let addresses = try await reactor.resolve(host: host, port: 1, family: .ipv4)
            #expect(addresses.map(\.description) == ["127.0.0.1:1"])
            let all = try await reactor.resolve(host: host, port: 1)
            #expect(Set(all.map(\.host)).isSubset(of: ["127.0.0.1", "::1"]))
            #expect(resolver.questions.isEmpty)
        }
    }

    @Test(arguments: [-1, 65_536]) func portOutOfRangeIsNamed(_ port: Int) async throws {
        try await withReactor { reactor in
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.resolve(host: "127.0.0.1", port: port)
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("\(port)") == true)
        }
    }

    @Test func addressOfTheOtherFamilyIsNotFound() async throws {
        try await withReactor { reactor in
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.resolve(host: "127.0.0.1", port: 1, family: .ipv6)
            }
            #expect(error?.code == .nameNotFound)
        }
    }

    @Test func impossibleNameIsRefusedBeforeAnybodyIsAsked() async throws {
        try await withReactor { reactor in
            let resolver = MemoryResolver()
            reactor.installResolver(resolver)
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.resolve(host: "no such host", port: 1)
            }
            #expect(error?.code == .nameNotFound)
            #expect(error?.message.contains("no such host") == true)
            #expect(resolver.questions.isEmpty)
        }
    }

    @Test func installedResolverIsAskedAndTheLastOneComesBack() async throws {
        try await withReactor { reactor in
            let resolver = MemoryResolver(["db.example": ["192.0.2.1", "2001:db8::1"]])
            let previous = reactor.installResolver(resolver)
            #expect(previous is SystemResolver)
            let both = try await reactor.resolve(host: "db.example", port: 5432)
            #expect(both.map(\.description) == ["192.0.2.1:5432", "[2001:db8::1]:5432"])
            let one = try await reactor.resolve(host: "db.example", port: 5432, family: .ipv6)
            #expect(one.map(\.host) == ["2001:db8::1"])
            let last = reactor.installResolver(previous)
            #expect(last as? MemoryResolver === resolver)
            #expect(reactor.resolver as? SystemResolver === previous as? SystemResolver)
        }
    }

    @Test func emptyAnswerOfAResolverIsNotFound() async throws {
        struct Nothing: Resolver {
            func resolve(host: String, port: Int, family: AddressFamily, timeout: Duration?) async throws
                -> [ResolvedAddress]
            { [] }
        }
        try await withReactor { reactor in
            reactor.installResolver(Nothing())
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.resolve(host: "db.example", port: 1)
            }
            #expect(error?.code == .nameNotFound)
        }
    }

    @Test(arguments: [
        (EAI_NONAME, ReactorError.Code.nameNotFound), (-5, .nameNotFound), (EAI_AGAIN, .nameServiceFailed),
        (EAI_FAIL, .nameServiceFailed), (EAI_MEMORY, .nameServiceFailed),
    ])
    func answersOfTheSystemAreToldApart(_ code: Int32, _ expected: ReactorError.Code) {
        let error = AddressLookUp.error(code, 0, "db.example")
        #expect(error.code == expected)
        #expect(error.message.contains("\"db.example\""))
        #expect(error.message.contains(String(cString: gai_strerror(code))))
    }

    @Test func errnoOfTheSystemIsKept() {
        let error = AddressLookUp.error(EAI_SYSTEM, EMFILE, "db.example")
        #expect(error.code == .nameServiceFailed && error.errno == EMFILE)
    }

    @Test func systemsOwnLookUpFindsNumbers() throws {
        let found = try AddressLookUp.run("127.0.0.1", .ipv4).get()
        #expect(found.map(\.description) == ["127.0.0.1:0"])
        #expect(found.first?.with(port: 0x1234).bytes[2...3] == [0x12, 0x34])
    }
}
