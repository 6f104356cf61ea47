import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct DNSCacheTests {
    private let start = ReactorInstant(nanoseconds: 0)

    private func question(_ number: Int) -> DNSQuestion {
        DNSQuestion(name: DNSName("h\(number).example")!, type: DNSType.a)
    }

    @Test func answersLastForAsLongAsTheySay() {
        var cache = DNSCache(limit: 10)
        let outcome = DNSOutcome.addresses([], ttl: 5)
        cache.remember(outcome, of: question(1), at: start)
        #expect(cache.outcome(of: question(1), at: start.advanced(by: .milliseconds(4999))) == outcome)
        #expect(cache.outcome(of: question(1), at: start.advanced(by: .seconds(5))) == nil)
        #expect(cache.count == 0)
    }

    @Test func nothingIsRememberedForADayAtMostAndLess() {
        var cache = DNSCache(limit: 10)
        cache.remember(.addresses([], ttl: .max), of: question(1), at: start)
        cache.remember(.noSuchName(ttl: .max), of: question(2), at: start)
        cache.remember(.noAddress(ttl: 0), of: question(3), at: start)
        cache.remember(.failed("x"), of: question(4), at: start)
        #expect(cache.count == 2)
        #expect(cache.outcome(of: question(1), at: start.advanced(by: .seconds(86_399))) != nil)
        #expect(cache.outcome(of: question(1), at: start.advanced(by: .seconds(86_400))) == nil)
        #expect(cache.outcome(of: question(2), at: start.advanced(by: .seconds(899))) != nil)
        #expect(cache.outcome(of: question(2), at: start.advanced(by: .seconds(900))) == nil)
    }

    @Test func oldestGoesWhenThereAreTooMany() {
        var cache = DNSCache(limit: 3)
        for number in 0..<1000 {
            cache.remember(.addresses([], ttl: 60), of: question(number), at: start)
            // One that is asked for often is renewed, and so the newest.
            cache.remember(.addresses([], ttl: 61), of: question(0), at: start)
            #expect(cache.count <= 3)
        }
        #expect(cache.outcome(of: question(0), at: start) == .addresses([], ttl: 61))
        #expect(cache.outcome(of: question(999), at: start) != nil)
        #expect(cache.outcome(of: question(500), at: start) == nil)
        var none = DNSCache(limit: 0)
        none.remember(.addresses([], ttl: 60), of: question(1), at: start)
        #expect(none.count == 0)
    }
}
