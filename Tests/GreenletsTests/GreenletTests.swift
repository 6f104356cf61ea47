import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct GreenletTests {
    @Test func synchronousBodyParksWithoutHoldingTheLoop() async throws {
        try await withReactor { reactor in
            let start = reactor.now
            let greenlets = (0..<100).map { number in
                Greenlet.spawn { () throws -> Int in
                    try Greenlet.sleep(for: .milliseconds(50))
                    return number
                }
            }
            var sum = 0
            for greenlet in greenlets { sum += try await greenlet.get() }
            #expect(sum == 4950)
            #expect(start.duration(to: reactor.now) < .seconds(2))
        }
    }

    @Test func bodyDoesNotRunBeforeTheSpawnerWaits() async throws {  // S51
        try await withReactor { _ in
            var log: [String] = []
            let greenlet = Greenlet.spawn { log.append("body") }
            log.append("spawner")
            try await greenlet.join()
            #expect(log == ["spawner", "body"])
        }
    }

    @Test func killReachesAParkedFiberAtItsNextSwiftFrame() async throws {
        try await withReactor { _ in
            var seen: (any Error)?
            let greenlet = Greenlet.spawn {
                do { try Greenlet.sleep(for: .seconds(60)) } catch { seen = error; throw error }
            }
            await Reactor.current.yield()
            await Reactor.current.yield()
            try await greenlet.kill()
            #expect(seen is GreenletExit)
            #expect(greenlet.isReady)
            #expect(greenlet.isSuccessful)
        }
    }

    @Test func killedBeforeItsStartTheBodyNeverRuns() async throws {  // S53
        try await withReactor { _ in
            var ran = false
            let greenlet = Greenlet.spawn { ran = true }
            try await greenlet.kill()
            #expect(!ran)
            await #expect(throws: GreenletExit.self) { try await greenlet.get() }
        }
    }

    @Test func waitingOutsideAGreenletIsAClearError() {
        #expect { try Greenlet.sleep(for: .seconds(1)) } throws: {
            ($0 as? GreenletError)?.code == .notInGreenlet
        }
    }

    @Test func taskLocalsAndCurrentAreTheGreenletsOwnAcrossParks() async throws {
        try await withReactor { _ in
            let greenlets = (0..<10).map { number in
                Greenlet.spawn(name: "g\(number)") { () throws -> Bool in
                    try Locals.$number.withValue(number) {
                        try Greenlet.sleep(for: .milliseconds(1))
                        return Locals.number == number && AnyGreenlet.current?.name == "g\(number)"
                    }
                }
            }
            for greenlet in greenlets {
                let isOwn = try await greenlet.get()
                #expect(isOwn)
            }
            #expect(AnyGreenlet.current == nil)
        }
    }

    @Test func deferToGreenletFiresOnTheReactor() async throws {  // S40
        try await withReactor { reactor in
            let value = try await reactor.deferToGreenlet { () throws -> Int in
                try Greenlet.sleep(for: .milliseconds(1))
                return 7
            }.addCallback { $0 * 2 }.value
            #expect(value == 14)
        }
    }

    @Test func waitForDeferredParksTheGreenlet() async throws {
        try await withReactor { reactor in
            let deferred = Deferred<Int>()
            reactor.callLater(.milliseconds(1)) { try deferred.callback(5) }
            let value = try await Greenlet.spawn { try waitForDeferred(deferred) }.get()
            #expect(value == 5)
        }
    }

    @Test func errorThatNobodyWaitsForIsReported() async throws {
        struct Lost: Error {}
        try await withReactor { reactor in
            var reported: [String] = []
            reactor.onUncaughtError = { error, context in reported.append("\(error) \(context.prefix(13))") }
            let greenlet = Greenlet.spawn(name: "g") { () throws -> Void in throw Lost() }
            while !greenlet.isReady { await reactor.yield() }
            #expect(reported == ["Lost() greenlet \"g\" "])
        }
    }
}

private enum Locals { @TaskLocal static var number = -1 }
