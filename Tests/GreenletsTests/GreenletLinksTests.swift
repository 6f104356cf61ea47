import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

@Suite struct GreenletLinksTests {
    struct Lost: Error {}

    @Test(.onReactor)
    @ReactorActor func linksRunInTheOrderTheyWereAdded() async throws {  // S51
        var log: [Int] = []
        let greenlet = Greenlet.spawn { 7 }
        for number in 0..<1000 { greenlet.onCompletion { _ in log.append(number) } }
        while log.count < 1000 { await reactor.yield() }
        #expect(log == Array(0..<1000))
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func linkRunsInAGreenletOfItsOwnThatMayWait(_ isAsync: Bool) async throws {
        var seen: [String] = []
        let greenlet = Greenlet.spawn(name: "job") { 7 }
        if isAsync {
            greenlet.onCompletion { job in
                try await Greenlet.sleep(for: .milliseconds(1))
                seen.append("\(job.name) \(try job.result!.get()) \(AnyGreenlet.current !== job)")
            }
        } else {
            greenlet.onCompletion { job in
                try Greenlet.sleep(for: .milliseconds(1))
                seen.append("\(job.name) \(try job.result!.get()) \(AnyGreenlet.current !== job)")
            }
        }
        while seen.isEmpty { await Greenlet.yield() }
        #expect(seen == ["job 7 true"])
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func outcomeChoosesTheLinks(_ isFailure: Bool) async throws {
        var log: [String] = []
        let greenlet = Greenlet.spawn { () throws -> Int in
            if isFailure { throw Lost() }
            return 7
        }
        greenlet.onSuccess { log.append("success \(try $0.get())") }
        greenlet.onFailure { greenlet in
            if case .failure(let error) = greenlet.result { log.append("failure \(error)") }
        }
        greenlet.onCompletion { _ in log.append("completion") }
        while log.count < 2 { await reactor.yield() }
        for _ in 0..<5 { await reactor.yield() }
        #expect(log == [isFailure ? "failure Lost()" : "success 7", "completion"])
    }

    @Test(.onReactor)
    @ReactorActor func throwingLinkDoesNotStopTheRest() async throws {
        var reports: [String] = []
        reactor.onUncaughtError = { error, _ in reports.append("\(error)") }
        var log: [Int] = []
        let greenlet = Greenlet.spawn {}
        for number in 0..<4 {
            greenlet.onCompletion { _ in
                log.append(number)
                if number < 2 { throw Lost() }
            }
        }
        while log.count < 4 || reports.count < 2 { await reactor.yield() }
        #expect(log == [0, 1, 2, 3])
        #expect(reports == ["Lost()", "Lost()"])
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func linkAddedAfterTheEndRunsOnce(_ isAsync: Bool) async throws {
        let greenlet = Greenlet.spawn { 7 }
        try await greenlet.join()
        var log: [Int] = []
        if isAsync {
            greenlet.onSuccess { log.append(try await $0.get()) }
        } else {
            greenlet.onSuccess { log.append(try $0.get()) }
        }
        #expect(log.isEmpty)  // in its own greenlet, later
        for _ in 0..<5 { await reactor.yield() }
        #expect(log == [7])
    }

    @Test(.onReactor)
    @ReactorActor func linkThatAnotherTakesBackDuringTheNotificationNeverRuns() async throws {
        var log: [String] = []
        let later = Links()
        let greenlet = Greenlet.spawn {}
        greenlet.onCompletion { _ in
            log.append("first")
            later.links.forEach { $0.cancel() }
        }
        later.links = [
            greenlet.onCompletion { _ in log.append("second") },
            greenlet.onCompletion { _ async in log.append("third") },
        ]
        greenlet.onCompletion { _ in log.append("fourth") }
        while log.count < 2 { await reactor.yield() }
        for _ in 0..<5 { await reactor.yield() }
        #expect(log == ["first", "fourth"])
        #expect(later.links.allSatisfy { $0.isCancelled })
    }

    @Test(.onReactor)
    @ReactorActor func rawLinkThatAnotherTakesBackIsNotCalled() async throws {
        var log: [String] = []
        let second = Links()
        let greenlet = Greenlet.spawn {}
        greenlet.onReady {
            log.append("first")
            second.links.forEach { $0.cancel() }
        }
        second.links = [greenlet.onReady { log.append("second") }]
        greenlet.onReady { log.append("third") }
        try await greenlet.join()
        #expect(log == ["first", "third"])
    }

    @Test(.onReactor)
    @ReactorActor func linkTakenBackBeforeTheEndNeverRuns() async throws {
        var log: [String] = []
        let greenlet = Greenlet.spawn {}
        let link = greenlet.onCompletion { _ in log.append("link") }
        link.cancel()
        link.cancel()
        try await greenlet.join()
        for _ in 0..<5 { await reactor.yield() }
        #expect(log == [])
    }

    @Test(.onReactor)
    @ReactorActor func manyLinksTakenBackLeaveNothing() {
        let links = ReadinessLinks()
        let kept = links.add {}
        for _ in 0..<1000 { links.add {}.cancel() }
        #expect(links.count == 1)
        #expect(links.storedCount < 100)
        kept.cancel()
        #expect(!links.fire())
    }

    @Test(.onReactor)
    @ReactorActor func linkHasTheTaskLocalValuesOfWhereItWasAdded() async throws {
        var words: [String] = []
        let greenlet = Locals.$word.withValue("spawner") { Greenlet.spawn { () async in } }
        Locals.$word.withValue("linker") { _ = greenlet.onCompletion { _ in words.append(Locals.word) } }
        greenlet.onCompletion { _ in words.append(Locals.word) }
        while words.count < 2 { await reactor.yield() }
        #expect(words == ["linker", "unbound"])
    }

    @Test(.onReactor)
    @ReactorActor func linkedErrorCountsAsReceived() async throws {  // onReactor fails for reported errors
        var seen = 0
        let greenlet = Greenlet.spawn { () throws -> Void in throw Lost() }
        greenlet.onFailure { _ in seen += 1 }
        while seen == 0 { await reactor.yield() }
    }

    @Test(.onReactor)
    @ReactorActor func errorThatOnlyASuccessLinkWouldHearIsReported() async throws {
        var reports = 0
        reactor.onUncaughtError = { _, _ in reports += 1 }
        let greenlet = Greenlet.spawn { () throws -> Void in throw Lost() }
        greenlet.onSuccess { _ in }
        greenlet.onCompletion { _ in }.cancel()
        while !greenlet.isReady { await reactor.yield() }
        #expect(reports == 1)
    }
}

@ReactorActor private final class Links { var links: [ReadinessLink] = [] }

private enum Locals { @TaskLocal static var word = "unbound" }
