public import ReactorCore

/// A resolver that knows the names it was given and no other, and remembers what it was asked.
///
/// ```swift
/// reactor.installResolver(MemoryResolver(["db.example": ["127.0.0.1"]]))
/// ```
@ReactorActor
public final class MemoryResolver: Resolver {
    private var names: [String: [String]]

    /// The names asked for so far, in order.
    public private(set) var questions: [String] = []

    /// A resolver of these names, each with its addresses in numbers.
    public nonisolated init(_ names: [String: [String]] = [:]) { self.names = names }

    /// The addresses of `host` from now on; none makes it unknown.
    public subscript(host: String) -> [String] {
        get { names[host] ?? [] }
        set { names[host] = newValue }
    }

    /// The addresses of `host`, of the family asked for, at once.
    ///
    /// - Throws: `ReactorError` with code `nameNotFound`; `CancellationError` when the task is cancelled already.
    public func resolve(
        host: String, port: Int, family: AddressFamily, timeout: Duration?
    ) async throws -> [ResolvedAddress] {
        try Task.checkCancellation()
        questions.append(host)
        let found = self[host].compactMap { ResolvedAddress(numeric: $0, port: port) }
            .filter { $0.isOf(family) }
        guard !found.isEmpty else {
            throw ReactorError(
                .nameNotFound, "the host \(String(reflecting: host)) has no address in the test's resolver")
        }
        return found
    }
}
