/// What an answer says of a question. Pure.
enum DNSOutcome: Hashable, Sendable {
    /// The addresses, without ports, and the seconds they may be remembered.
    case addresses([ResolvedAddress], ttl: UInt32)
    /// There is no such name. Zero seconds: not to be remembered.
    case noSuchName(ttl: UInt32)
    /// The name exists, without a record of the type.
    case noAddress(ttl: UInt32)
    /// It is another name for this one, of which the answer says nothing.
    case alias(DNSName, ttl: UInt32)
    /// The server cannot say; the text says why.
    case failed(String)

    /// How long a chain of aliases within one answer may be.
    private static let longestChain = 16

    /// What `response`, which is one to `question`, says.
    init(of response: DNSMessage, to question: DNSQuestion) {
        guard response.code == .noError || response.code == .noSuchName else {
            self = .failed("\(response.code)")
            return
        }
        var name = question.name
        var ttl = UInt32.max
        var seen: Set<DNSName> = []
        while seen.count < Self.longestChain, seen.insert(name).inserted {
            let records = response.answers.filter { $0.name == name && $0.class == question.class }
            let found = records.compactMap { record in record.address(question.type).map { ($0, record.ttl) }
            }
            if !found.isEmpty {
                self = .addresses(found.map(\.0), ttl: found.reduce(ttl) { min($0, $1.1) })
                return
            }
            guard let alias = records.lazy.compactMap(\.alias).first else {
                self = Self.nothing(response, isAlias: name != question.name, name, ttl)
                return
            }
            name = alias.target
            ttl = min(ttl, alias.ttl)
        }
        self = .failed("an answer whose aliases go in a circle")
    }

    /// There is no address in the answer, whose aliases end at `name`.
    private static func nothing(
        _ response: DNSMessage, isAlias: Bool, _ name: DNSName, _ ttl: UInt32
    ) -> DNSOutcome {
        // How long that may be remembered, the start of the zone says (RFC 2308, 5).
        let remembered = response.authorities.lazy.compactMap { record -> UInt32? in
            if case .soa(let minimum) = record.data { min(minimum, record.ttl) } else { nil }
        }.first
        if response.code == .noSuchName { return .noSuchName(ttl: min(ttl, remembered ?? 0)) }
        if remembered == nil, isAlias { return .alias(name, ttl: ttl) }
        if remembered == nil, !response.recursionAvailable, response.answers.isEmpty {
            return .failed("no answer, only that it does not ask others")
        }
        return .noAddress(ttl: min(ttl, remembered ?? 0))
    }

    /// The same for a name that leads here by an alias remembered for so long.
    func limited(to seconds: UInt32) -> DNSOutcome {
        switch self {
        case .addresses(let addresses, let ttl): .addresses(addresses, ttl: min(ttl, seconds))
        case .noSuchName(let ttl): .noSuchName(ttl: min(ttl, seconds))
        case .noAddress(let ttl): .noAddress(ttl: min(ttl, seconds))
        case .alias(let name, let ttl): .alias(name, ttl: min(ttl, seconds))
        case .failed: self
        }
    }
}

extension DNSRecord {
    fileprivate func address(_ type: UInt16) -> ResolvedAddress? {
        switch data {
        case .a(let bytes) where type == DNSType.a: ResolvedAddress(internet: bytes)
        case .aaaa(let bytes) where type == DNSType.aaaa: ResolvedAddress(internet: bytes)
        default: nil
        }
    }

    fileprivate var alias: (target: DNSName, ttl: UInt32)? {
        if case .cname(let target) = data { (target, ttl) } else { nil }
    }
}
