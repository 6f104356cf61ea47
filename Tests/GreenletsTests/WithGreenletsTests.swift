import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

/// Both forms: `isSynchronous` runs the scope in a greenlet's synchronous code.
@Suite struct WithGreenletsTests {
    struct Lost: Error, Equatable { var name = "" }

    /// A scope whose body gives what synchronous and `async` code have in common.
    @discardableResult
    @ReactorActor private func runScope<Value: Sendable>(
        _ isSynchronous: Bool, _ body: @escaping @ReactorActor (GreenletScope) throws -> Value,
        thenSleeping time: Duration? = nil
    ) async throws -> Value {
        if isSynchronous {
            return try await Greenlet.spawn { () throws -> Value in
                try withGreenlets { scope in
                    let value = try body(scope)
                    if let time { try Greenlet.sleep(for: time) }
                    return value
                }
            }.get()
        }
        return try await withGreenlets { scope in
            let value = try body(scope)
            if let time { try await Greenlet.sleep(for: time) }
            return value
        }
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func scopeIsNotLeftWhileAGreenletRuns(_ isSynchronous: Bool) async throws {
        var ended: [Int] = []
        let value = try await runScope(isSynchronous) { scope in
            for number in [3, 1, 2] {
                try scope.spawn { () throws -> Void in
                    try Greenlet.sleep(for: .seconds(number))
                    ended.append(number)
                }
            }
            try scope.spawn { () async throws -> Void in
                try await Greenlet.sleep(for: .seconds(4))
                ended.append(4)
                // The body has been left, the scope has not.
                try scope.spawn { ended.append(5) }
            }
            #expect(scope.greenlets.count == 4)
            return 7
        }
        #expect(value == 7 && ended == [1, 2, 3, 4, 5])
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func emptyScopeReturnsItsBodysValue(_ isSynchronous: Bool) async throws {
        let value = try await runScope(isSynchronous) { _ in 7 }
        #expect(value == 7)
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func firstErrorEndsTheRestAndTheBody(_ isSynchronous: Bool) async throws {
        let start = reactor.now
        var neverRan = true
        var siblings: [AnyGreenlet] = []
        await #expect(throws: Lost(name: "child")) {
            try await runScope(
                isSynchronous,
                { scope in
                    siblings.append(try scope.spawn { try Greenlet.sleep(for: .seconds(60)) })
                    siblings.append(
                        try scope.spawn { () async throws -> Void in
                            try await Greenlet.sleep(for: .seconds(60))
                        })
                    try scope.spawn { () throws -> Void in
                        try Greenlet.sleep(for: .seconds(1))
                        siblings.append(try scope.spawn { neverRan = false })
                        throw Lost(name: "child")
                    }
                }, thenSleeping: .seconds(60))
        }
        #expect(neverRan && siblings.count == 3 && siblings.allSatisfy { $0.isReady && $0.isSuccessful })
        #expect(start.duration(to: reactor.now) == .seconds(1))
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func errorOfTheBodyEndsTheGreenlets(_ isSynchronous: Bool) async throws {
        var child: Greenlet<Void>?
        await #expect(throws: Lost(name: "body")) {
            try await runScope(isSynchronous) { scope in
                child = try scope.spawn { try Greenlet.sleep(for: .seconds(60)) }
                throw Lost(name: "body")
            }
        }
        #expect(child?.isReady == true && child?.isSuccessful == true)
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func laterErrorsAreAddedToTheFirst(_ isSynchronous: Bool) async throws {
        let error = await #expect(throws: GreenletScopeError.self) {
            try await runScope(isSynchronous) { scope in
                for name in ["a", "b"] {
                    try scope.spawn { () throws -> Void in
                        do { try Greenlet.sleep(for: .seconds(60)) } catch { throw Lost(name: name) }
                    }
                }
                try scope.spawn { () async throws -> Void in
                    // Lets the others begin.
                    for _ in 0..<3 { await Greenlet.yield() }
                    throw Lost(name: "first")
                }
            }
        }
        #expect(error?.errors as? [Lost] == [Lost(name: "first"), Lost(name: "a"), Lost(name: "b")])
        #expect(error?.description.hasPrefix("3 failed: Lost(name: \"first\"); ") == true)
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func killedChildIsNoErrorUnlessItsKillerNamesOne(_ isSynchronous: Bool) async throws {
        var log: [String] = []
        try await runScope(isSynchronous) { scope in
            try scope.spawn { log.append("other") }
            try scope.spawn { log.append("killed") }.cancel()
        }
        #expect(log == ["other"])
        await #expect(throws: Lost()) {
            try await runScope(isSynchronous) {
                try $0.spawn { log.append("killed") }.cancel(throwing: Lost())
            }
        }
        #expect(log == ["other"])
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func spawnIsRefusedOnceTheScopeFails(_ isSynchronous: Bool) async throws {
        var refusal: GreenletError?
        var kept: GreenletScope?
        await #expect(throws: Lost()) {
            try await runScope(isSynchronous) { scope in
                kept = scope
                try scope.spawn { () throws -> Void in
                    do { try Greenlet.sleep(for: .seconds(60)) } catch {
                        do { try scope.spawn {} } catch { refusal = error as? GreenletError }
                        throw error
                    }
                }
                try scope.spawn { () async throws -> Void in
                    for _ in 0..<3 { await Greenlet.yield() }
                    throw Lost()
                }
            }
        }
        #expect(refusal?.code == .scopeClosed && refusal?.message.contains("Lost") == true)
        let scope = try #require(kept)
        let after = #expect(throws: GreenletError.self) { try scope.spawn { () async in } }
        #expect(after?.code == .scopeClosed && after?.message.contains("is over") == true)
    }

    /// Killed while its body waits, and while it waits for its greenlets.
    @Test(.onReactor, arguments: [(false, false), (false, true), (true, false), (true, true)])
    @ReactorActor func killOfTheParentEndsItsGreenletsFirst(_ isSynchronous: Bool, _ isInBody: Bool)
        async throws
    {
        var cleaned = 0
        let parent = Greenlet.spawn { () async throws -> Void in
            try await withGreenlets { scope in
                try scope.spawn { () async throws -> Void in
                    do { try await Greenlet.sleep(for: .seconds(60)) } catch {
                        await withCheckedShield { try? await Greenlet.sleep(for: .milliseconds(2)) }
                        cleaned += 1
                        throw error
                    }
                }
                if isInBody { try await Greenlet.sleep(for: .seconds(60)) }
            }
        }
        let synchronous = Greenlet.spawn { () throws -> Void in
            try withGreenlets { scope in
                try scope.spawn { () throws -> Void in
                    do { try Greenlet.sleep(for: .seconds(60)) } catch {
                        try withCancellationShield { try Greenlet.sleep(for: .milliseconds(2)) }
                        cleaned += 1
                        throw error
                    }
                }
                if isInBody { try Greenlet.sleep(for: .seconds(60)) }
            }
        }
        try await Greenlet.waitUntilIdle()
        let victim: AnyGreenlet = isSynchronous ? synchronous : parent
        try await victim.kill(throwing: Lost(name: "killer"))
        #expect(cleaned == 1)
        #expect(victim.failure as? Lost == Lost(name: "killer"))
        try await Greenlet.killAll([parent, synchronous])
        #expect(cleaned == 2 && parent.isReady && synchronous.isReady)
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true], [false, true])
    @ReactorActor func timeOutAroundEndsTheScope(_ isSynchronous: Bool, _ isInBody: Bool) async throws {
        var child: Greenlet<Void>?
        let error = await #expect(throws: TimeoutError.self) {
            if isSynchronous {
                try await Greenlet.spawn { () throws -> Void in
                    try withTimeout(.seconds(1)) {
                        try withGreenlets { scope in
                            child = try scope.spawn { try Greenlet.sleep(for: .seconds(60)) }
                            if isInBody { try Greenlet.sleep(for: .seconds(60)) }
                        }
                    }
                }.get()
            } else {
                try await withTimeout(.seconds(1)) {
                    try await withGreenlets { scope in
                        child = try scope.spawn { try Greenlet.sleep(for: .seconds(60)) }
                        if isInBody { try await Greenlet.sleep(for: .seconds(60)) }
                    }
                }
            }
        }
        #expect(error?.duration == .seconds(1) && error?.underlying == nil)
        #expect(child?.isReady == true && child?.isSuccessful == true)
    }

    @Test(.onReactor(clock: ManualClock(isAutomatic: true)), arguments: [false, true])
    @ReactorActor func timeOutInsideAScopeIsOnlyItsOwn(_ isSynchronous: Bool) async throws {
        var log: [String] = []
        if isSynchronous {
            try await Greenlet.spawn { () throws -> Void in
                try withGreenlets { scope in
                    try scope.spawn {
                        try Greenlet.sleep(for: .seconds(3)); log.append("child")
                    }
                    try withTimeout(.seconds(1), default: ()) { try Greenlet.sleep(for: .seconds(60)) }
                    log.append("body")
                    try Greenlet.sleep(for: .seconds(1))
                }
            }.get()
        } else {
            try await withGreenlets { scope in
                try scope.spawn {
                    try Greenlet.sleep(for: .seconds(3)); log.append("child")
                }
                try await withTimeout(.seconds(1), default: ()) {
                    try await Greenlet.sleep(for: .seconds(60))
                }
                log.append("body")
                try await Greenlet.sleep(for: .seconds(1))
            }
        }
        #expect(log == ["body", "child"])
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func innerErrorGoesOutThroughEveryScope(_ isSynchronous: Bool) async throws {
        var outer: Greenlet<Void>?
        await #expect(throws: Lost(name: "deep")) {
            try await runScope(isSynchronous) { scope in
                outer = try scope.spawn { try Greenlet.sleep(for: .seconds(60)) }
                try scope.spawn { () throws -> Void in
                    try withGreenlets { inner in
                        try inner.spawn { () async throws -> Void in throw Lost(name: "deep") }
                        try Greenlet.sleep(for: .seconds(60))
                    }
                }
            }
        }
        #expect(outer?.isReady == true)
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func innerErrorThatIsCaughtLeavesTheOuterScopeAlone(_ isSynchronous: Bool) async throws {
        var log: [String] = []
        try await runScope(isSynchronous) { scope in
            try scope.spawn { () throws -> Void in
                do {
                    try withGreenlets { inner in
                        try inner.spawn { throw Lost() }
                        try Greenlet.sleep(for: .seconds(60))
                    }
                } catch let error as Lost { log.append("caught \(error.name)") }
                try Greenlet.sleep(for: .milliseconds(1))  // waits as ever
                log.append("on")
            }
        }
        #expect(log == ["caught ", "on"])
    }

    @Test(.onReactor, arguments: [false, true])
    @ReactorActor func cancelledScopeEndsWithoutAnError(_ isSynchronous: Bool) async throws {
        var children: [AnyGreenlet] = []
        let value = try await runScope(isSynchronous) { scope in
            children.append(try scope.spawn { try Greenlet.sleep(for: .seconds(60)) })
            children.append(
                try scope.spawn { () async throws -> Void in
                    for _ in 0..<3 { await Greenlet.yield() }
                    scope.cancel()
                    scope.cancel()
                    try await Greenlet.sleep(for: .seconds(60))
                })
            return 7
        }
        #expect(value == 7 && children.allSatisfy { $0.isReady && $0.isSuccessful })
        await #expect(throws: CancellationError.self) {
            try await runScope(isSynchronous, { $0.cancel() }, thenSleeping: .seconds(60))
        }
    }

    @Test(.onReactor)
    @ReactorActor func cancelledCallerEntersNoScope() async throws {
        var entered = false
        let greenlet = Greenlet.spawn { () async throws -> Void in
            AnyGreenlet.current?.cancel()
            try await withGreenlets { _ in entered = true }
        }
        let synchronous = Greenlet.spawn { () throws -> Void in
            AnyGreenlet.current?.cancel()
            try withGreenlets { _ in entered = true }
        }
        try await Greenlet.joinAll([greenlet, synchronous])
        #expect(!entered && greenlet.isSuccessful && synchronous.isSuccessful)
    }

    @Test func scopeOutsideAGreenletIsAClearError() {
        #expect { try withGreenlets { _ in } } throws: { ($0 as? GreenletError)?.code == .notInGreenlet }
    }
}

@ReactorActor private func withCheckedShield(_ body: @ReactorActor () async -> Void) async {
    // The body throws nothing.
    try? await withCancellationShield { await body() }
}
