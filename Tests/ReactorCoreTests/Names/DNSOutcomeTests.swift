import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct DNSOutcomeTests {
    private let question = DNSQuestion(name: DNSName("www.example")!, type: DNSType.a)

    private func response(_ answers: [(String, UInt32, DNSRecord.Data)]) -> DNSMessage {
        var message = DNSMessage(id: 1)
        message.isResponse = true
        message.recursionAvailable = true
        message.questions = [question]
        message.answers = answers.map { DNSRecord(name: DNSName($0.0)!, ttl: $0.1, data: $0.2) }
        return message
    }

    private func alias(_ name: String) -> DNSRecord.Data { .cname(DNSName(name)!) }

    @Test func aliasesAreFollowedWhateverTheirOrder() {
        let message = response([
            ("c.example", 9, .a([192, 0, 2, 1])), ("b.example", 5, alias("C.example")),
            ("WWW.example", 7, alias("b.example")), ("c.example", 8, .a([192, 0, 2, 2])),
        ])
        guard case .addresses(let addresses, let ttl) = DNSOutcome(of: message, to: question) else {
            Issue.record("no addresses")
            return
        }
        #expect(addresses.map(\.host) == ["192.0.2.1", "192.0.2.2"])
        #expect(ttl == 5)
    }

    @Test func aliasWithoutAnAddressGoesOn() {
        let message = response([("www.example", 7, alias("b.example"))])
        #expect(DNSOutcome(of: message, to: question) == .alias(DNSName("b.example")!, ttl: 7))
    }

    @Test func circleOfAliasesIsAFailure() {
        let message = response([
            ("www.example", 7, alias("b.example")), ("b.example", 7, alias("www.example")),
        ])
        #expect(
            DNSOutcome(of: message, to: question) == .failed("an answer whose aliases go in a circle"))
    }

    @Test func addressesOfOtherNamesAndTypesDoNotCount() {
        var message = response([
            ("evil.example", 9, .a([192, 0, 2, 1])), ("www.example", 9, .aaaa(Array(1...16))),
        ])
        #expect(DNSOutcome(of: message, to: question) == .noAddress(ttl: 0))
        message.authorities = [
            DNSRecord(name: DNSName("example")!, ttl: 30, data: .soa(minimum: 20))
        ]
        #expect(DNSOutcome(of: message, to: question) == .noAddress(ttl: 20))
        message.code = .noSuchName
        #expect(DNSOutcome(of: message, to: question) == .noSuchName(ttl: 20))
    }

    @Test func serverThatDoesNotAskOthersHasNoAnswer() {
        var message = response([])
        message.recursionAvailable = false
        guard case .failed = DNSOutcome(of: message, to: question) else {
            Issue.record("it counts as an answer")
            return
        }
        message.code = .refused
        #expect(DNSOutcome(of: message, to: question) == .failed("REFUSED"))
    }
}
