/// One look-up of one host: which names to ask for, of which servers, and what their answers come to.
@ReactorActor
struct DNSLookUp {
    /// An outcome and who gave it.
    struct Answer: Sendable {
        let outcome: DNSOutcome
        let server: String
        /// Whether no server said anything.
        var isSilence = false
    }

    /// How many aliases are followed from answer to answer.
    private static let longestChain = 8

    let reactor: Reactor
    let configuration: NameServerConfiguration
    /// The servers, in the order of this look-up.
    let servers: [ResolvedAddress]
    /// What is known, and where to remember what is learnt.
    let cached: @ReactorActor (DNSQuestion) -> DNSOutcome?
    let remember: @ReactorActor (DNSQuestion, DNSOutcome) -> Void

    /// The addresses of a host, in the servers' order and without ports.
    ///
    /// - Throws: `ReactorError` with code `nameNotFound` or `nameServiceFailed`; `CancellationError`.
    func addresses(of host: HostName, _ family: AddressFamily) async throws -> [ResolvedAddress] {
        let quoted = String(reflecting: host.text)
        var missing: [String] = []
        var failures: [String] = []
        for name in configuration.candidates(for: host) {
            let answers = try await answers(for: name, family)
            let found = answers.flatMap { answer -> [ResolvedAddress] in
                if case .addresses(let addresses, _) = answer.outcome { addresses } else { [] }
            }
            if !found.isEmpty { return found }
            for answer in answers {
                switch answer.outcome {
                case .noSuchName: missing.append("\(answer.server) says that there is no \(name)")
                case .noAddress:
                    missing.append("\(answer.server) knows \(name) without an address\(Self.text(family))")
                case .failed(let reason): failures.append(reason)
                case .addresses, .alias: continue
                }
            }
            // They will not answer the next name either, and each costs all their time.
            if answers.contains(where: \.isSilence) { break }
        }
        // Somebody may know better than those who answered, where others did not.
        guard failures.isEmpty else {
            throw ReactorError(
                .nameServiceFailed,
                "the host \(quoted) could not be looked up: \(Self.list(failures)); asking again may help")
        }
        let reason = missing.isEmpty ? "no name can be made of it" : Self.list(missing)
        throw ReactorError(.nameNotFound, "the host \(quoted) has no address: \(reason)")
    }

    private static func text(_ family: AddressFamily) -> String {
        switch family {
        case .any: ""
        case .ipv4: " of IPv4"
        case .ipv6: " of IPv6"
        }
    }

    /// Each once, in order.
    private static func list(_ texts: [String]) -> String {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }.joined(separator: "; ")
    }

    /// Both families are asked for at the same time.
    private func answers(for name: DNSName, _ family: AddressFamily) async throws -> [Answer] {
        switch family {
        case .ipv4: return [try await answer(name, DNSType.a)]
        case .ipv6: return [try await answer(name, DNSType.aaaa)]
        case .any:
            async let newer = answer(name, DNSType.aaaa)
            async let older = answer(name, DNSType.a)
            return [try await newer, try await older]
        }
    }

    /// Follows aliases.
    private func answer(_ name: DNSName, _ type: UInt16) async throws -> Answer {
        let question = DNSQuestion(name: name, type: type)
        if let known = cached(question) { return Answer(outcome: known, server: "an earlier answer") }
        var next = question
        var ttl = UInt32.max
        for _ in 0..<Self.longestChain {
            let answer = try await ask(next)
            let outcome = answer.outcome.limited(to: ttl)
            guard case .alias(let target, let limit) = outcome else {
                remember(question, outcome)
                return Answer(outcome: outcome, server: answer.server, isSilence: answer.isSilence)
            }
            next.name = target
            ttl = limit
        }
        return Answer(
            outcome: .failed("\(name) is an alias of an alias of an alias, without an end"), server: "")
    }

    /// Asks server after server until one can say.
    private func ask(_ question: DNSQuestion) async throws -> Answer {
        var failures: [String] = []
        var isSilence = true
        for _ in 0..<max(1, configuration.attempts) {
            for server in servers {
                var reason: String
                do {
                    let outcome = DNSOutcome(of: try await exchange(question, server), to: question)
                    guard case .failed(let answered) = outcome else {
                        return Answer(outcome: outcome, server: "the name server \(server)")
                    }
                    reason = "answered \(answered)"
                    isSilence = false
                } catch let error as DNSServerError { reason = error.reason }
                failures.append("the name server \(server) \(reason)")
            }
        }
        return Answer(outcome: .failed(Self.list(failures)), server: "", isSilence: isSilence)
    }

    /// Without extensions once more, if the server does not know them.
    private func exchange(_ question: DNSQuestion, _ server: ResolvedAddress) async throws -> DNSMessage {
        var configuration = configuration
        let first = try await DNSExchange(reactor: reactor, server: server, configuration: configuration)
            .ask(question)
        let isPuzzled = first.code == .formatError || first.code == .notImplemented
        guard isPuzzled, configuration.usesEDNS0 else { return first }
        configuration.usesEDNS0 = false
        return try await DNSExchange(reactor: reactor, server: server, configuration: configuration)
            .ask(question)
    }
}
