import Glibc
import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

/// geventreactor's surface: each as a function and as the reactor's method, with closures and with arguments.
@Suite struct ReactorGreenletsTests {
    struct Spam: Error, Equatable {}

    // MARK: deferToGreenlet

    @Test(.onReactor)
    @ReactorActor func functionIsCalledWithItsArguments() async throws {  // S40
        let sums: [Deferred<Int>] = [
            deferToGreenlet(add, 3, 4), reactor.deferToGreenlet(add, 3, 4),
            deferToGreenlet(addLater, 3, 4), reactor.deferToGreenlet(addLater, 3, 4),
            deferToGreenlet { add(3, 4) }, reactor.deferToGreenlet { add(3, 4) },
            deferToGreenlet { await addLater(3, 4) }, reactor.deferToGreenlet { await addLater(3, 4) },
            deferToGreenlet(negate, -7), deferToGreenlet({ $0 + $1 + $2 }, 1, 2, 4),
        ]
        for sum in sums {
            let value = try await sum.value
            #expect(value == 7)
        }
        let text = try await deferToGreenlet(join, "a", 2, [true]).value
        #expect(text == "a 2 [true]")
        let name = try await deferToGreenlet(name: "adder", nameOfGreenlet, 1).value
        #expect(name == "adder")
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)))
    @ReactorActor func argumentsReachCodeThatParks() async throws {  // S40
        let values = try await gatherResults(
            (0..<10).map { deferToGreenlet(sleepAndReturn, .milliseconds(10 - $0), $0) }
        ).value
        #expect(values == Array(0..<10))
    }

    @Test(.onReactor)
    @ReactorActor func errorOfAFunctionWithArgumentsKeepsItsType() async throws {  // S40
        for deferred in [
            deferToGreenlet(fail, 3, 4), reactor.deferToGreenlet(fail, 3, 4),
            deferToGreenlet(failLater, 3, 4),
            deferToGreenlet { try fail(3, 4) },
        ] {
            await #expect(throws: Spam.self) { try await deferred.value }
        }
    }

    @Test(.onReactor)
    @ReactorActor func failureAfterSuccessEndsTheChainCleanly() async throws {  // S40
        var log: [String] = []
        let chain = deferToGreenlet(add, 3, 4)
            .addCallback { value -> Deferred<Int> in
                log.append("\(value)")
                return deferToGreenlet(fail, value, 1)
            }
            .addErrback { error -> Int in
                log.append("\(error is Spam)")
                return 0
            }
        let value = try await chain.value
        #expect(value == 0 && log == ["7", "true"])
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)))
    @ReactorActor func resultsComeInTheOrderOfCompletion() async throws {
        var order: [Int] = []
        let all = [3, 1, 2].map { number in
            deferToGreenlet(sleepAndReturn, .milliseconds(number * 4), number).addCallback {
                order.append($0)
            }
        }
        _ = try await gatherResults(all).value
        #expect(order == [1, 2, 3])
    }

    @Test(.onReactor)
    @ReactorActor func waitForGreenletFiresWithItsOutcome() async throws {
        let done = Greenlet.spawn { 7 }
        try await done.join()
        for deferred in [
            waitForGreenlet(Greenlet.spawn { 7 }), reactor.waitForGreenlet(Greenlet.spawn { 7 }),
            waitForGreenlet(done),
        ] {
            let value = try await deferred.value
            #expect(value == 7)
        }
        let failed = waitForGreenlet(Greenlet.spawn { () throws -> Int in throw Spam() })
        await #expect(throws: Spam.self) { try await failed.value }
        let unstarted = Greenlet { 7 }
        let deferred = waitForGreenlet(unstarted)
        deferred.cancel()
        await #expect(throws: GreenletExit.self) { try await deferred.value }
        #expect(unstarted.isReady)
    }

    // MARK: Several calls

    @Test(.onReactor)
    @ReactorActor func severalCallsRunInOneGreenletInOrder() async throws {  // S41
        let log = Log()
        callMultipleInGreenlet(
            (0..<10).map { number -> @ReactorActor () throws -> Void in { try log.addSlowly("\(number)") } })
        while log.lines.count < 10 { await reactor.yield() }
        #expect(log.lines == (0..<10).map { "\($0)" })
        #expect(Set(log.greenlets).count == 1)
        reactor.callMultipleInGreenlet([{ await log.addLater("a") }, { await log.addLater("b") }])
        while log.lines.count < 12 { await reactor.yield() }
        #expect(log.lines.suffix(2) == ["a", "b"])
        #expect(Set(log.greenlets).count == 2)
    }

    @Test(.onReactor)
    @ReactorActor func severalFunctionsGetTheirArguments() async throws {
        let log = Log()
        callMultipleInGreenlet((log.addSlowly, "a"), (log.addNumber, 7), (log.addSlowly, "b"))
        while log.lines.count < 3 { await reactor.yield() }
        reactor.callMultipleInGreenlet((log.addNumber, 8), (log.addSlowly, "c"))
        while log.lines.count < 5 { await reactor.yield() }
        #expect(log.lines == ["a", "7", "b", "8", "c"])
        #expect(Set(log.greenlets).count == 2)
    }

    @Test(.onReactor)
    @ReactorActor func firstErrorEndsTheSeries() async throws {
        let reports = Reports(reactor)
        let log = Log()
        callMultipleInGreenlet([{ try log.addSlowly("a") }, { throw Spam() }, { try log.addSlowly("b") }])
        while reports.errors.isEmpty { await reactor.yield() }
        try await Greenlet.waitUntilIdle()
        #expect(log.lines == ["a"] && reports.errors == ["Spam()"])
    }

    // MARK: Fire and forget

    @Test(.onReactor)
    @ReactorActor func calledInGreenletWithArguments() async throws {
        let log = Log()
        let greenlets: any ReactorGreenlets = reactor
        reactor.callInGreenlet { try log.addSlowly("closure") }
        reactor.callInGreenlet(log.addNumber, 7)
        greenlets.callInGreenlet(log.addBoth, "x", 8)
        reactor.callInGreenlet { await log.addLater("async") }
        greenlets.callInGreenlet(log.addLater, "later")
        while log.lines.count < 5 { await reactor.yield() }
        #expect(log.lines.sorted() == ["7", "async", "closure", "later", "x 8"])
        #expect(!log.greenlets.contains(0))
    }

    @Test(.onReactor)
    @ReactorActor func errorOfACalledGreenletIsReportedWithItsPlace() async throws {
        var reports: [String] = []
        reactor.onUncaughtError = { error, context in reports.append("\(context) \(error)") }
        reactor.callInGreenlet { () throws -> Void in throw Spam() }
        while reports.isEmpty { await reactor.yield() }
        #expect(reports[0].contains("ReactorGreenletsTests.swift") && reports[0].hasSuffix("Spam()"))
    }

    @Test(.onReactor)
    @ReactorActor func calledFromGreenletRunsOnTheReactorAndCanBeCancelled() async throws {
        let log = Log()
        let greenlet = Greenlet.spawn { () throws -> Bool in
            reactor.callFromGreenlet(log.addNumber, 7)
            reactor.callFromGreenlet { log.addNumber(8) }
            try reactor.callFromGreenlet(log.addBoth, "x", 9).cancel()
            return log.lines.isEmpty  // in a coming turn
        }
        let wasEmpty = try await greenlet.get()
        while log.lines.count < 2 { await reactor.yield() }
        #expect(wasEmpty && log.lines == ["7", "8"])
        #expect(log.greenlets == [0, 0])  // in none
        #expect(reactor.callFromGreenlet {}.description.contains("ReactorGreenletsTests.swift"))
        try await Greenlet.waitUntilIdle()
    }
}

// MARK: What the tests call

private func add(_ a: Int, _ b: Int) -> Int { a + b }
private func negate(_ a: Int) -> Int { -a }
private func addLater(_ a: Int, _ b: Int) async -> Int {
    await Greenlet.yield()
    return a + b
}
private func join(_ text: String, _ number: Int, _ flags: [Bool]) -> String { "\(text) \(number) \(flags)" }
private func fail(_ a: Int, _ b: Int) throws -> Int { throw ReactorGreenletsTests.Spam() }
private func failLater(_ a: Int, _ b: Int) async throws -> Int { throw ReactorGreenletsTests.Spam() }
@ReactorActor private func nameOfGreenlet(_ number: Int) -> String { AnyGreenlet.current?.name ?? "" }
private func sleepAndReturn(_ time: Duration, _ number: Int) throws -> Int {
    try Greenlet.sleep(for: time)
    return number
}

@ReactorActor private final class Log {
    private(set) var lines: [String] = []
    /// Whose code added each; 0 for none.
    private(set) var greenlets: [Int] = []

    private func add(_ line: String) {
        lines.append(line)
        greenlets.append(AnyGreenlet.current?.id ?? 0)
    }

    func addSlowly(_ line: String) throws {
        try Greenlet.yield()
        add(line)
    }

    func addLater(_ line: String) async {
        await Greenlet.yield()
        add(line)
    }

    func addNumber(_ number: Int) { add("\(number)") }
    func addBoth(_ text: String, _ number: Int) { add("\(text) \(number)") }
}
