/// A TCP address to listen on, written `HOST:PORT`.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A host name or an address, an IPv6 one without brackets.
    public var host: String
    /// The port; 0 takes a free one.
    public var port: Int

    /// An endpoint of its parts.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:3000`, `[::1]:3000`, `:3000` or `3000`; without a host, 127.0.0.1. Nil when it is none of these.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let last = parts.last, let port = Int(last), (0...65_535).contains(port) else { return nil }
        var host = parts.dropLast().joined(separator: ":")
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if parts.count > 2 {
            return nil  // an IPv6 address without brackets: which colon ends it?
        }
        self.init(host: host.isEmpty ? "127.0.0.1" : host, port: port)
    }

    /// `127.0.0.1:3000`, `[::1]:3000`.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
