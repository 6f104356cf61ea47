import ReactorCore
import ReactorTesting
import Synchronization
import Testing

@testable import Greenlets

@ReactorActor private enum Session {
    @GreenletLocal static var user = "nobody"
}

/// Counts itself.
@ReactorActor private final class Counted {
    nonisolated let log: LiveCount
    init(_ log: LiveCount) {
        self.log = log
        log.count += 1
    }
    deinit { ReactorActor.assumeIsolated { log.count -= 1 } }
}

@ReactorActor private final class LiveCount {
    var count = 0
    nonisolated init() {}
}

@Suite struct GreenletLocalTests {
    @Test func eachGreenletHasItsOwn() async throws {
        try await withReactor { _ in
            Session.user = "main"
            let greenlets = (0..<10).map { number in
                number % 2 == 0
                    ? Greenlet.spawn { () async throws -> String in
                        #expect(Session.user == "nobody")
                        Session.user = "\(number)"
                        await Greenlet.yield()
                        return Session.user
                    }
                    : Greenlet.spawn { () throws -> String in
                        #expect(Session.user == "nobody")
                        Session.user = "\(number)"
                        try Greenlet.yield()
                        return Session.user
                    }
            }
            for (number, greenlet) in greenlets.enumerated() {
                let user = try await greenlet.get()
                #expect(user == "\(number)")
            }
            #expect(Session.user == "main")
            Session.$user.reset()
            #expect(Session.user == "nobody")
        }
    }

    @Test func childTasksShareTheirGreenlets() async throws {
        try await withReactor { _ in
            let user = try await Greenlet.spawn { () async throws -> String in
                Session.user = "ann"
                try await withTimeout(.seconds(60)) { () async throws -> Void in
                    #expect(Session.user == "ann")
                    Session.user = "bob"
                }
                async let child = { @ReactorActor () async -> String in Session.user }()
                return Session.user + (await child)
            }.get()
            #expect(user == "bobbob")
        }
    }

    @Test func valueGoesWithItsGreenlet() async throws {
        try await withReactor { _ in
            let live = LiveCount()
            let local = GreenletLocal(wrappedValue: Counted(live))
            let gate = Event()
            let greenlets = (0..<10).map { number in
                number % 2 == 0
                    ? Greenlet.spawn { () async throws -> Void in
                        _ = local.wrappedValue
                        try await gate.wait()
                    }
                    : Greenlet.spawn { () throws -> Void in
                        _ = local.wrappedValue
                        try gate.wait()
                    }
            }
            while gate.waiterCount < 10 { await Greenlet.yield() }
            #expect(live.count == 10 && local.key.placeCount == 10)
            try await greenlets[0].kill()
            #expect(live.count == 9 && local.key.placeCount == 9)
            gate.set()
            for greenlet in greenlets { try await greenlet.join() }
            #expect(live.count == 0 && local.key.placeCount == 0)
        }
    }

    @Test func valuesGoWithTheLocal() async throws {
        try await withReactor { reactor in
            let live = LiveCount()
            let gate = Event()
            let box = Box(GreenletLocal(wrappedValue: Counted(live)))
            let other = GreenletLocal(wrappedValue: 1)
            let greenlets = (0..<4).map { _ in
                Greenlet.spawn { () async throws -> Int in
                    _ = box.local?.wrappedValue
                    other.wrappedValue += 1
                    try await gate.wait()
                    return other.wrappedValue
                }
            }
            _ = box.local?.wrappedValue
            while gate.waiterCount < 4 { await Greenlet.yield() }
            #expect(live.count == 5)
            box.local = nil
            #expect(live.count == 0)
            gate.set()
            for greenlet in greenlets {
                let number = try await greenlet.get()
                #expect(number == 2)
            }
        }
    }

    @Test func localDroppedOnAThreadFreesItsValuesSoon() async throws {
        try await withReactor { reactor in
            let live = LiveCount()
            let box = Mutex<GreenletLocal<Counted>?>(GreenletLocal(wrappedValue: Counted(live)))
            _ = box.withLock { $0 }?.wrappedValue
            #expect(live.count == 1)
            let drop: @Sendable () -> Void = { box.withLock { $0 = nil } }
            try await reactor.threadPool.run(drop)
            while live.count > 0 { await Greenlet.yield() }
            #expect(live.count == 0)
        }
    }

    @Test func taskThatOutlivesItsGreenletSeesTheInitialValue() async throws {
        try await withReactor { reactor in
            let live = LiveCount()
            let local = GreenletLocal(wrappedValue: Counted(live))
            let gate = Event()
            let task = try await Greenlet.spawn { () async throws -> Task<Bool, any Error> in
                _ = local.wrappedValue
                return Task { @ReactorActor in
                    try await gate.wait()
                    return local.wrappedValue === local.wrappedValue
                }
            }.get()
            #expect(live.count == 0)
            gate.set()
            let isKept = try await task.value
            #expect(!isKept && live.count == 0)
        }
    }

    @ReactorActor private final class Box {
        var local: GreenletLocal<Counted>?
        init(_ local: GreenletLocal<Counted>) { self.local = local }
    }
}
