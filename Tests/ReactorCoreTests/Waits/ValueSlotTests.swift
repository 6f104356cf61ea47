import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct ValueSlotTests {
    /// Values that lie in the slot, and values that do not fit.
    @Test func whatIsPutInComesOutAgain() {
        func check<Value: Equatable>(_ one: Value, _ other: Value) {
            var slot = ValueSlot()
            var seen: Value? = slot.value(Value.self)
            #expect(seen == nil)
            seen = slot.take(Value.self)
            #expect(seen == nil)
            slot.put(one, Value.self)
            seen = slot.value(Value.self)
            #expect(seen == one && slot.isFull)
            slot.put(other, Value.self)
            seen = slot.value(Value.self)
            #expect(seen == other)
            seen = slot.take(Value.self)
            #expect(seen == other && !slot.isFull, "\(Value.self)")
            seen = slot.take(Value.self)
            #expect(seen == nil)
            slot.put(one, Value.self)
            slot.put(nil, Value.self)
            #expect(!slot.isFull)
        }
        check(true, false)
        check(7, -1)
        check("short", "a text that is longer than fifteen bytes, and so lies elsewhere")
        check([1, 2, 3], [])
        check(Triple(a: 1, b: "two", c: 3), Triple(a: 4, b: "five, of more than fifteen bytes", c: 6))
        check(SIMD4<Int>(1, 2, 3, 4), .zero)
        check(Int?.none, 5)
    }

    @Test func nothingMayBeAValue() {
        var slot = ValueSlot()
        slot.put((), Void.self)
        #expect(slot.isFull && slot.take(Void.self) != nil && !slot.isFull)
    }

    @Test func valuesLiveAsLongAsTheyAreThere() {
        let count = Life.Count()
        var slot = ValueSlot()
        slot.put(Life(count), Life.self)
        slot.put(Life(count), Life.self)
        #expect(count.now == 1)
        slot.clear(Life.self)
        #expect(count.now == 0)
        // Too large for the slot.
        slot.put([Life(count), Life(count), Life(count), Life(count)].quadruple, Quadruple.self)
        #expect(count.now == 4)
        do {
            let taken = slot.take(Quadruple.self)
            #expect(taken != nil && count.now == 4)
        }
        #expect(count.now == 0)
    }

    /// A waiter nobody takes the value from lets go of it as it goes.
    @Test func aWaiterEndsItsValue() async throws {
        try await withReactor { reactor in
            let count = Life.Count()
            do {
                let small = Waiter<Life>(on: reactor)
                let large = Waiter<Quadruple>(on: reactor)
                small.value = Life(count)
                large.value = [Life(count), Life(count), Life(count), Life(count)].quadruple
                #expect(count.now == 5)
                withExtendedLifetime((small, large)) {}
            }
            #expect(count.now == 0)
        }
    }

    struct Triple: Equatable {
        var a: Int, b: String, c: Int
    }

    struct Quadruple {
        var a: Life, b: Life, c: Life, d: Life
    }
}

extension [Life] {
    fileprivate var quadruple: ValueSlotTests.Quadruple {
        .init(a: self[0], b: self[1], c: self[2], d: self[3])
    }
}
