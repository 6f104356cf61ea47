import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

@Suite struct GreenletTreeTests {
    @Test(.onReactor)
    @ReactorActor func parentIsTheSpawnerWhileItLives() async throws {
        let parent = Greenlet.spawn { () throws -> Greenlet<Void> in
            Greenlet.spawn { try Greenlet.sleep(for: .milliseconds(1)) }
        }
        let child = try await parent.get()
        #expect(child.parentID == parent.id)
        #expect(child.parent == nil)
        let other = Greenlet.spawn { () throws -> Bool in
            let child = Greenlet.spawn { AnyGreenlet.current?.parent === AnyGreenlet.current }
            let own = AnyGreenlet.current
            let isParent = child.parent === own
            _ = try child.get()
            return isParent
        }
        let isParent = try await other.get()
        #expect(isParent)
        #expect(other.parent == nil && other.parentID == nil)
        try await child.join()
    }

    @Test(.onReactor)
    @ReactorActor func treeSharesItsValuesUpAndDown() async throws {
        var grandchild: Greenlet<Void>?
        var unstarted: Greenlet<Void>?
        let root = Greenlet.spawn { () throws -> Int? in
            let middle = Greenlet.spawn {
                grandchild = Greenlet.spawn { () throws -> Void in
                    AnyGreenlet.current?.treeLocals["number"] = 7
                    try Greenlet.sleep(for: .milliseconds(1))
                }
                unstarted = Greenlet {}
            }
            try middle.join()  // ended before the first value is set
            try Greenlet.yield()
            return AnyGreenlet.current?.treeLocals["number"] as? Int
        }
        let stranger = Greenlet.spawn { AnyGreenlet.current?.treeLocals["number"] as? Int }
        let seen = try await root.get()
        let seenByStranger = try await stranger.get()
        #expect(seen == 7)
        #expect(seenByStranger == nil)
        #expect(unstarted?.treeLocals["number"] as? Int == 7)
        try await grandchild?.join()
    }

    @Test(.onReactor)
    @ReactorActor func treeIsHandedToThoseSpawnedLater() async throws {
        let root = Greenlet.spawn { () throws -> [Int] in
            AnyGreenlet.current?.treeLocals["numbers"] = [1]
            let child = Greenlet.spawn { () throws -> Void in
                var numbers = AnyGreenlet.current?.treeLocals["numbers"] as? [Int] ?? []
                numbers.append(2)
                AnyGreenlet.current?.treeLocals["numbers"] = numbers
            }
            try child.join()
            return AnyGreenlet.current?.treeLocals["numbers"] as? [Int] ?? []
        }
        let numbers = try await root.get()
        #expect(numbers == [1, 2])
    }

    @Test(.onReactor)
    @ReactorActor func withoutTrackingNobodyHasAParent() async throws {
        Greenlet.tracksTree = false
        #expect(!Greenlet.tracksTree)
        let root = Greenlet.spawn { () throws -> Bool in
            AnyGreenlet.current?.treeLocals["number"] = 1
            let child = Greenlet.spawn {
                AnyGreenlet.current?.parentID == nil && AnyGreenlet.current?.treeLocals["number"] == nil
            }
            return try child.get()
        }
        let isAlone = try await root.get()
        #expect(isAlone)
    }

    @Test(.onReactor)
    @ReactorActor func observersHearOfEveryStartOnce() async throws {
        var seen: [String] = []
        let first = Greenlet.addSpawnObserver { seen.append("1 \($0.name)") }
        let second = Greenlet.addSpawnObserver { seen.append("2 \($0.name)") }
        let a = Greenlet.spawn(name: "a") {}
        let b = Greenlet.spawn(name: "b") { () async in }
        let c = Greenlet(name: "c") {}
        #expect(seen == ["1 a", "2 a", "1 b", "2 b"])
        first.cancel()
        first.cancel()
        c.start()
        c.start()
        second.cancel()
        let d = Greenlet.spawn(name: "d") {}
        try await Greenlet.joinAll([a, b, c, d])
        #expect(seen == ["1 a", "2 a", "1 b", "2 b", "2 c"])
        #expect(GreenletRegistry.of(reactor).spawnObservers == nil)
    }

    @Test(.onReactor)
    @ReactorActor func observerMayKillWhatStarts() async throws {
        var ran = false
        let observer = Greenlet.addSpawnObserver { $0.cancel() }
        let greenlets = [Greenlet.spawn { ran = true }, Greenlet.spawn { () async in ran = true }]
        observer.cancel()
        try await Greenlet.joinAll(greenlets)
        for _ in 0..<3 { await reactor.yield() }
        #expect(!ran && greenlets.allSatisfy { $0.isSuccessful })
    }
}
