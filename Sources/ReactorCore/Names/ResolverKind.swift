/// The resolvers that can be chosen by name. Extensible: keep a default case.
public struct ResolverKind: Hashable, Sendable, CustomStringConvertible {
    private enum Name: String, CaseIterable { case threaded, native, blocking }

    private let name: Name

    /// `SystemResolver`, the default: the system's `getaddrinfo` on a few threads of its own.
    public static let threaded = ResolverKind(name: .threaded)
    /// `NativeResolver`: name servers are asked on the loop, without a thread.
    public static let native = ResolverKind(name: .native)
    /// `BlockingResolver`: the system's `getaddrinfo` in place. For tools.
    public static let blocking = ResolverKind(name: .blocking)

    /// All of them.
    public static var all: [ResolverKind] { Name.allCases.map { ResolverKind(name: $0) } }

    private init(name: Name) { self.name = name }

    /// The kind of that name, as `REACTOR_RESOLVER` has it; nil for a name that none has.
    public init?(_ name: String) {
        guard let name = Name(rawValue: name) else { return nil }
        self.name = name
    }

    /// The name: `threaded`, `native` or `blocking`.
    public var description: String { name.rawValue }

    /// Makes a resolver of the kind, as it is without any arguments.
    public func makeResolver() -> any Resolver {
        switch name {
        case .threaded: SystemResolver()
        case .native: NativeResolver()
        case .blocking: BlockingResolver()
        }
    }
}

extension Resolver where Self == SystemResolver {
    /// A `SystemResolver`: the system's `getaddrinfo` on a few threads of its own.
    public static var threaded: SystemResolver { SystemResolver() }
}

extension Resolver where Self == NativeResolver {
    /// A `NativeResolver`: name servers are asked on the loop, without a thread.
    public static var native: NativeResolver { NativeResolver() }
}

extension Resolver where Self == BlockingResolver {
    /// A `BlockingResolver`: the system's `getaddrinfo` in place. For tools.
    public static var blocking: BlockingResolver { BlockingResolver() }
}
