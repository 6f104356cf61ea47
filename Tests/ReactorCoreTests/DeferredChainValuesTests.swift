import ReactorTesting
import Testing

@testable import ReactorCore

/// A chain keeps values untyped. Whatever their size and kind, they arrive whole, and each is released once.
@Suite struct DeferredChainValuesTests {
    struct Empty: Sendable {}
    struct Pair: Sendable { var first: Life, second: Life }
    struct Three: Sendable { var life: Life, number = 24, other = 3 }
    struct Four: Sendable { var life: Life, a = 1, b = 2, c = 3 }
    struct FourAndAByte: Sendable { var life: Life, a = 1, b = 2, c = 3, byte: UInt8 = 33 }
    struct Large: Sendable { var lives: [Life], a = (1, 2, 3, 4, 5, 6, 7, 8) }
    struct Aligned: Sendable {
        var vector = SIMD2<Double>(1, 2)
        var life: Life
    }
    struct Weak: @unchecked Sendable {  // one thread at a time has it
        var life: Life
        weak var other: Life?
        init(_ life: Life) {
            self.life = life
            other = life
        }
    }
    struct Thrown: Error { var life: Life }

    private func check<Value: Sendable>(
        _: Value.Type, _ isWhole: @escaping @Sendable (Value) -> Bool,
        _ make: @escaping @Sendable (Life) -> Value
    ) async throws {
        let lives = Life.Count()
        try await withReactor { _ in
            for path in Path<Value>.all {
                try await path.take({ make(Life(lives)) }, isWhole)
                #expect(lives.now == 0, "\(Value.self): \(path.name)")
            }
        }
    }

    @Test func sizesAreWhatTheirNamesSay() {
        #expect(MemoryLayout<Four>.size == 32 && MemoryLayout<FourAndAByte>.size == 33)
        #expect(MemoryLayout<Aligned>.alignment == 16)
        #expect(DeferredChain.isInline(Four.self) && !DeferredChain.isInline(FourAndAByte.self))
        #expect(!DeferredChain.isInline(Aligned.self))
    }

    @Test func nothing() async throws { try await check(Empty.self, { _ in true }) { _ in Empty() } }
    @Test func void() async throws { try await check(Void.self, { _ in true }) { _ in } }
    @Test func byte() async throws { try await check(UInt8.self, { $0 == 7 }) { _ in 7 } }
    @Test func word() async throws { try await check(Int.self, { $0 == -7 }) { _ in -7 } }
    @Test func reference() async throws { try await check(Life.self, { _ in true }) { $0 } }
    @Test func optionalReference() async throws { try await check(Life?.self, { $0 != nil }) { $0 } }
    @Test func absentReference() async throws { try await check(Life?.self, { $0 == nil }) { _ in nil } }
    @Test func twoReferences() async throws {
        try await check(Pair.self, { $0.first === $0.second }) { Pair(first: $0, second: $0) }
    }
    @Test func threeWords() async throws {
        try await check(Three.self, { $0.number == 24 && $0.other == 3 }) { Three(life: $0) }
    }
    @Test func fourWords() async throws {
        try await check(Four.self, { $0.a == 1 && $0.b == 2 && $0.c == 3 }) { Four(life: $0) }
    }
    @Test func fourWordsAndAByte() async throws {
        try await check(FourAndAByte.self, { $0.c == 3 && $0.byte == 33 }) { FourAndAByte(life: $0) }
    }
    @Test func manyWords() async throws {
        try await check(Large.self, { $0.a.7 == 8 && $0.lives.count == 2 }) { Large(lives: [$0, $0]) }
    }
    @Test func sixteenByteAlignment() async throws {
        try await check(Aligned.self, { $0.vector == SIMD2(1, 2) }) { Aligned(life: $0) }
    }
    @Test func weakReference() async throws {
        try await check(Weak.self, { $0.other === $0.life }) { Weak($0) }
    }
    @Test func longString() async throws {
        try await check(String.self, { $0.hasSuffix("long to lie in the words") }) { life in
            "\(ObjectIdentifier(life)) too long to lie in the words"
        }
    }
    @Test func existential() async throws {
        try await check((any Sendable).self, { $0 is Three }) { Three(life: $0) }
    }
    @Test func errorAsAValue() async throws {
        try await check((any Error).self, { $0 is Thrown }) { Thrown(life: $0) }
    }
    @Test func closure() async throws {
        try await check((@Sendable () -> Bool).self, { $0() }) { life in
            {
                life.keep()
                return true
            }
        }
    }
    @Test func array() async throws { try await check([Life].self, { $0.count == 3 }) { [$0, $0, $0] } }
    @Test func result() async throws {
        try await check(Result<Life, any Error>.self, { (try? $0.get()) != nil }) { .success($0) }
    }

    @Test func failureIsReleasedWithItsDeferred() async throws {
        let lives = Life.Count()
        let reports = UnhandledErrorRecorder()
        try await withReactor { _ in
            do {
                let deferred = Deferred<Int>.fail(Thrown(life: Life(lives)))
                #expect(lives.now == 1 && deferred.isCalled)
            }
            _ = Deferred<Int>.fail(Thrown(life: Life(lives))).addErrback { _ in 1 }
            _ = Deferred.succeed(()).addCallback { Deferred<Int>.fail(Thrown(life: Life(lives))) }
            #expect(reports.errors().count >= 2)
        }
        #expect(lives.now <= reports.errors().count, "the recorder may hold texts only")
        #expect(lives.now == 0)
    }
}

/// One thing that may happen to a value on its way.
private struct Path<Value: Sendable> {
    let name: String
    let take: @ReactorActor (_ make: @escaping () -> Value, @escaping (Value) -> Bool) async throws -> Void

    static var all: [Path] {
        [
            Path(name: "fired and dropped") { make, _ in _ = Deferred.succeed(make()) },
            Path(name: "taken by a callback") { make, isWhole in
                var whole = false
                let deferred = Deferred<Value>()
                deferred.addCallback { whole = isWhole($0) }
                try deferred.callback(make())
                #expect(whole)
            },
            Path(name: "replaced by a callback") { make, isWhole in
                let next = Deferred.succeed(make()).addCallback { isWhole($0) ? [make()] : [] }
                let values = try next.result()?.get()
                #expect(values?.map(isWhole) == [true])
            },
            Path(name: "a callback that throws") { make, _ in
                let deferred = Deferred.succeed(make()).addCallback { _ -> Value in throw Marker() }
                deferred.addErrback { _ in make() }
            },
            Path(name: "past an errback") { make, isWhole in
                var whole = false
                Deferred.succeed(make()).addErrback { throw $0 }.addBoth {
                    whole = (try? $0.get()).map(isWhole) == true
                }
                #expect(whole)
            },
            Path(name: "handed over at once") { make, isWhole in
                let inner = Deferred.succeed(make())
                let outer = Deferred.succeed(()).addCallback { inner }
                let value = try outer.result()?.get()
                #expect(value.map(isWhole) == true)
            },
            Path(name: "handed over later") { make, isWhole in
                let inner = Deferred<Value>()
                let outer = Deferred.succeed(()).addCallback { inner }
                try inner.callback(make())
                let value = try outer.result()?.get()
                #expect(value.map(isWhole) == true)
            },
            Path(name: "looked at twice, then taken") { make, isWhole in
                let deferred = Deferred.succeed(make())
                let (first, second) = (try deferred.result()?.get(), try deferred.result()?.get())
                #expect(first.map(isWhole) == true && second.map(isWhole) == true)
                var whole = false
                deferred.addCallback { whole = isWhole($0) }
                #expect(whole)
            },
            Path(name: "awaited by several") { make, isWhole in
                let deferred = Deferred<Value>()
                let tasks = (0..<3).map { _ in deferred.task() }
                await Reactor.current.yield()
                try deferred.callback(make())
                for task in tasks {
                    let value = try await task.value
                    #expect(isWhole(value))
                }
                let last = try await deferred.value
                #expect(isWhole(last))
            },
            Path(name: "paused and dropped") { make, _ in
                let deferred = Deferred<Value>()
                deferred.pause()
                deferred.addCallback { _ in Issue.record("a paused chain ran") }
                try deferred.callback(make())
            },
            Path(name: "in a list") { make, isWhole in
                let members = [Deferred<Value>.succeed(make()), Deferred<Value>()]
                var count = 0
                DeferredList(members).addCallback {
                    count = $0.count { (try? $0.get()).map(isWhole) == true }
                }
                try members[1].callback(make())
                #expect(count == 2)
            },
            Path(name: "dropped on another thread") { make, _ in
                let last = LastReference(Deferred.succeed(make()))
                await elsewhere { last.deferred = nil }
            },
        ]
    }
}

private struct Marker: Error {}
