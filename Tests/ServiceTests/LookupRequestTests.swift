import Testing

@testable import LookupService

@Suite struct LookupRequestTests {
    @Test(arguments: [
        ("12345678901234567890", LookupRequest.lookUp(code: "12345")),
        ("abcdefghijklmnopqrst", .lookUp(code: "klmno")),
        ("0123456789äöüß€", .lookUp(code: "äöüß€")),
        ("123456789012345", .lookUp(code: "12345")),
        ("", .goodBye),
    ])
    func characters10To14AreTheCode(_ line: String, _ expected: LookupRequest) {
        #expect(LookupRequest(line: line) == expected)
    }

    @Test(arguments: ["x", "12345678901234", " "])
    func shortLineIsInvalidAndToldItsLength(_ line: String) {
        guard case .invalid(let message) = LookupRequest(line: line) else {
            Issue.record("accepted")
            return
        }
        #expect(message.hasSuffix("got \(line.count)"))
    }

    @Test func errorLinesAreOneLine() {
        #expect(LookupRequest.errorLine("a\r\nb\n\nc") == "error: a b c")
    }

    @Test func nulInTheCodeIsRefused() {
        guard case .invalid = LookupRequest(line: "0123456789a\0bcd") else {
            Issue.record("accepted")
            return
        }
    }
}

@Suite struct AnswerQueueTests {
    @Test func answersKeepTheOrderOfTheirLines() {
        var queue = AnswerQueue()
        let places = (0..<4).map { _ in queue.reserve() }
        queue.fulfil(places[2], with: "2")
        #expect(queue.takeReady().isEmpty)
        queue.fulfil(places[0], with: "0")
        #expect(queue.takeReady() == ["0"])
        queue.fulfil(places[1], with: "1")
        #expect(queue.takeReady() == ["1", "2"])
        #expect(queue.pendingCount == 1)
        queue.fulfil(queue.reserve(), with: "4")
        queue.fulfil(places[3], with: "3")
        #expect(queue.takeReady() == ["3", "4"])
    }

    @Test func isFinishedOnceTheLastAnswerIsTaken() {
        var queue = AnswerQueue()
        let place = queue.reserve()
        queue.finish()
        #expect(!queue.isFinished)
        queue.fulfil(place, with: "x")
        _ = queue.takeReady()
        #expect(queue.isFinished)
    }
}

@Suite struct EndpointTests {
    @Test(arguments: [
        ("127.0.0.1:3000", Endpoint(host: "127.0.0.1", port: 3000)),
        ("[::1]:80", Endpoint(host: "::1", port: 80)),
        (":3000", Endpoint(host: "127.0.0.1", port: 3000)),
        ("3000", Endpoint(host: "127.0.0.1", port: 3000)),
    ])
    func formsAreRead(_ text: String, _ expected: Endpoint) {
        #expect(Endpoint(text) == expected)
    }

    @Test(arguments: ["", "host", "1:2:3", "host:65536", "host:-1", "host:x"])
    func otherFormsAreRefused(_ text: String) { #expect(Endpoint(text) == nil) }
}
