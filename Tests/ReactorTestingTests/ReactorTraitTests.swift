import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.onReactor(clock: ManualClock(isAutomatic: true))) struct ReactorTraitTests {
    @Test @ReactorActor func isolatedTestRunsOnItsOwnReactor() async throws {
        #expect(reactor.isOnReactorThread && reactor !== Reactor.shared)
        try await reactor.sleep(for: .seconds(3600))
        #expect(reactor.isOnReactorThread)
        #expect(ManualClock.current.now == reactor.now)
    }

    @Test @ReactorActor func synchronousTestDoesToo() {
        #expect(reactor.isOnReactorThread && reactor !== Reactor.shared)
    }

    @Test func unisolatedTestStaysOnTheReactorsThread() async throws {
        #expect(reactor.isOnReactorThread)
        await Task.yield()
        #expect(reactor.isOnReactorThread)
        try await Task.sleep(for: .milliseconds(1))  // the runtime's own timer: a hop away and back
        #expect(reactor.isOnReactorThread)
    }

    @Test(arguments: 0..<5) @ReactorActor func everyCaseHasAReactor(_ number: Int) async throws {
        #expect(reactor.now == ReactorInstant(nanoseconds: 0))
        let greenlet = Greenlet.spawn { () throws -> Int in
            try Greenlet.sleep(for: .seconds(number))
            return number
        }
        let value = try await greenlet.get()
        #expect(value == number)
    }

    @Test @ReactorActor func childTasksInheritTheReactor() async throws {
        async let one: Bool = isHere()
        let both = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await isHere() }
            return await group.next()
        }
        let first = await one
        #expect(first && both == true)
    }

    enum Leftover: String, CaseIterable {
        case delayedCall = "1 delayed calls are pending"
        case greenlet = "is alive"
        case deferred = "the Deferred made at ReactorTestingTests/ReactorTraitTests.swift"
        case callback = "an error that nobody handled: "
    }

    @Test(arguments: Leftover.allCases) func whatIsLeftFailsTheTest(_ leftover: Leftover) async throws {
        struct Spam: Error {}
        let error = await #expect(throws: ReactorLeak.self) {
            try await underTrait {
                switch leftover {
                case .delayedCall: reactor.callLater(.seconds(3600)) {}
                case .greenlet: _ = Greenlet.spawn { try await Greenlet.sleep(for: .seconds(3600)) }
                case .deferred: _ = Deferred<Int>.fail(Spam())
                case .callback:
                    reactor.callLater(.zero) { throw Spam() }
                    try await reactor.sleep(for: .milliseconds(1))
                }
            }
        }
        #expect(error?.description.contains(leftover.rawValue) == true, "\(error?.description ?? "")")
    }

    @Test func errorThatWasAskedForDoesNotFailTheTest() async throws {
        struct Spam: Error {}
        try await underTrait {
            let recorder = UnhandledErrorRecorder()
            _ = Deferred<Int>.fail(Spam())
            #expect(recorder.errors(ofLine: #line - 1) == ["Spam()"])
        }
    }

    @Test func errorOfTheTestItselfIsThrown() async throws {
        struct Spam: Error {}
        await #expect(throws: Spam.self) { try await underTrait { throw Spam() } }
    }
}

/// Runs `body` as the testing library would run a test with the trait.
private func underTrait(_ body: @escaping @Sendable @ReactorActor () async throws -> Void) async throws {
    let test = try #require(Test.current)
    try await ReactorTrait.onReactor(timeLimit: .seconds(30))
        .provideScope(for: test, testCase: Test.Case.current) { try await body() }
}

private func isHere() async -> Bool { reactor.isOnReactorThread && reactor !== Reactor.shared }
