import Testing

@testable import ReactorCore

/// What the servers of these tests answer.
let v4: [UInt8] = [192, 0, 2, 1]

/// A resolver that asks `servers`. Tests of silence turn the clock by hand: on the machine's, a loop that is held up would
/// take a late answer for silence.
@ReactorActor func resolver(
    _ servers: [NameServer], hosts: String = "/nonexistent", lookUpLimit: Int = 64,
    _ change: (inout NameServerConfiguration) -> Void = { _ in }
) -> NativeResolver {
    var configuration = NameServerConfiguration(
        servers: servers.map(\.address), timeout: .seconds(30), attempts: 4)
    change(&configuration)
    return NativeResolver(
        configuration: configuration, hostsPath: hosts, resolvConfPath: "/nonexistent",
        lookUpLimit: lookUpLimit, preference: AddressPreference { $0 })
}

/// The addresses as text.
@ReactorActor func ask(
    _ resolver: NativeResolver, _ host: String, family: AddressFamily = .any, timeout: Duration? = nil
) async throws -> [String] {
    try await resolver.resolve(host: host, port: 80, family: family, timeout: timeout).map(\.description)
}

/// The error of a look-up that must fail.
func failure(_ body: () async throws -> [String]) async -> ReactorError? {
    await #expect(throws: ReactorError.self) { _ = try await body() }
}

/// What a look-up comes to.
@ReactorActor func outcome(
    _ body: @ReactorActor () async throws -> [String]
) async -> Result<[String], any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
