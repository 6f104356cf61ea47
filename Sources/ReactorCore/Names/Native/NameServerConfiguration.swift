/// Which name servers are asked, and how: what resolv.conf(5) says.
public struct NameServerConfiguration: Hashable, Sendable {
    /// The servers with their ports, in the order they are asked; of a file the first three.
    public var servers: [ResolvedAddress]
    /// Domains that a name without enough dots is looked for in, in order.
    public var searchDomains: [String]
    /// A name with so many dots is first looked for as it is; one without, in the search domains first.
    public var ndots: Int
    /// How long one server is given for one answer.
    public var timeout: Duration
    /// How often each server is asked before the look-up fails.
    public var attempts: Int
    /// Whether each look-up begins with the next server.
    public var rotatesServers: Bool
    /// Whether servers may answer with datagrams longer than 512 bytes.
    public var usesEDNS0: Bool
    /// Whether questions are asked in letters of random case, which an answer must repeat: it makes answers harder to forge. Some
    /// old servers do not repeat them.
    public var randomizesCase: Bool
    /// Whether servers are asked by TCP only.
    public var usesTCPOnly: Bool

    /// A configuration of the program's own. Without servers it means the one on this machine, port 53.
    public init(
        servers: [ResolvedAddress] = [], searchDomains: [String] = [], ndots: Int = 1,
        timeout: Duration = .seconds(5), attempts: Int = 2, rotatesServers: Bool = false,
        usesEDNS0: Bool = false, randomizesCase: Bool = false, usesTCPOnly: Bool = false
    ) {
        self.servers = servers
        self.searchDomains = searchDomains
        self.ndots = ndots
        self.timeout = timeout
        self.attempts = attempts
        self.rotatesServers = rotatesServers
        self.usesEDNS0 = usesEDNS0
        self.randomizesCase = randomizesCase
        self.usesTCPOnly = usesTCPOnly
    }

    /// Reads the text of a resolv.conf(5): `nameserver`, `search`, `domain` (the last of both counts), and of `options` `ndots`,
    /// `timeout`, `attempts`, `rotate`, `edns0` and `use-vc`, within the limits glibc sets. What makes no sense is skipped, as by
    /// the system's own reader.
    public init(resolvConf text: String) {
        self.init()
        for line in text.split(whereSeparator: \.isNewline) where line.first != "#" && line.first != ";" {
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard words.count > 1 else { continue }
            switch words[0] {
            case "nameserver":
                guard servers.count < 3, let server = ResolvedAddress(numeric: words[1], port: 53) else {
                    continue
                }
                servers.append(server)
            case "search": searchDomains = words.dropFirst().compactMap(Self.domain)
            case "domain": searchDomains = [words[1]].compactMap(Self.domain)
            case "options": words.dropFirst().forEach { read(option: $0) }
            default: continue
            }
        }
    }

    /// The domain without its trailing dot; nil for one that is none. The root is the empty one.
    private static func domain(_ text: String) -> String? {
        DNSName(text).map { $0.labels.isEmpty ? "" : $0.description.lowercased() }
    }

    private mutating func read(option: String) {
        let parts = option.split(separator: ":", maxSplits: 1)
        let number = parts.count > 1 ? Int(parts[1]) : nil
        switch (parts.first, number) {
        case ("ndots", let number?): ndots = min(max(number, 0), 15)
        case ("timeout", let number?): timeout = .seconds(min(max(number, 1), 30))
        case ("attempts", let number?): attempts = min(max(number, 1), 5)
        case ("rotate", nil): rotatesServers = true
        case ("edns0", nil): usesEDNS0 = true
        case ("use-vc", nil): usesTCPOnly = true
        default: return
        }
    }

    /// The full names to ask for, in order.
    func candidates(for name: HostName) -> [DNSName] {
        let isFull = name.text.hasSuffix(".")
        let full = DNSName(name.canonical)
        let dots = name.canonical.utf8.count { $0 == UInt8(ascii: ".") }
        let searched =
            isFull
            ? []
            : searchDomains.compactMap { DNSName($0.isEmpty ? name.canonical : "\(name.canonical).\($0)") }
        let all = isFull || dots >= ndots ? [full] + searched : searched + [full]
        var seen: Set<DNSName> = []
        return all.compactMap { $0 }.filter { seen.insert($0).inserted }
    }
}
