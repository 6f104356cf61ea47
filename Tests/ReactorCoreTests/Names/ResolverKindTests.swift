import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct ResolverKindTests {
    @Test func kindsHaveNames() {
        #expect(ResolverKind.all.map(\.description) == ["threaded", "native", "blocking"])
        #expect(ResolverKind("native") == .native)
        #expect(ResolverKind("ares") == nil)
        #expect(ResolverKind.threaded.makeResolver() is SystemResolver)
        #expect(ResolverKind.native.makeResolver() is NativeResolver)
        #expect(ResolverKind.blocking.makeResolver() is BlockingResolver)
    }

    @Test func theyAreInstalledByName() async throws {
        try await withReactor { reactor in
            reactor.installResolver(.native)
            #expect(reactor.resolver is NativeResolver)
            reactor.installResolver(.blocking)
            #expect(reactor.resolver is BlockingResolver)
            reactor.installResolver(.threaded)
            #expect(reactor.resolver is SystemResolver)
        }
    }

    @Test func blockingOneAsksInPlace() async throws {
        try await withReactor { reactor in
            let resolver = BlockingResolver { host, family throws(ReactorError) in
                guard host == "db.example" else {
                    throw ReactorError(.nameNotFound, "the host \"\(host)\" has no address")
                }
                return [ResolvedAddress(numeric: "192.0.2.1", port: 0)!]
            }
            let found = try await resolver.resolve(host: "db.example", port: 80, family: .any, timeout: nil)
            #expect(found.map(\.description) == ["192.0.2.1:80"])
            let error = await #expect(throws: ReactorError.self) {
                try await resolver.resolve(host: "other.example", port: 80, family: .any, timeout: nil)
            }
            #expect(error?.code == .nameNotFound)
        }
    }
}
