import ReactorCore

/// How far a greenlet has come, with what it needs there. Sixteen bytes, the largest of them the body's.
enum GreenletStage {
    /// Made, and not spawned or started; or ended, with a value.
    case idle
    /// Its task, which is about to begin, will run the body.
    case spawned(AnyGreenletBody)
    /// A task runs its `async` body.
    case running(Task<Void, Never>)
    /// From spawn to end: what runs its synchronous body on a fiber.
    case onFiber(FiberDriver)
    /// It has ended with an error.
    case failed(any Error)
}

/// An `async` body. A type around it, for a function that is cast by itself is wrapped on the way in and on the way out.
@frozen @usableFromInline struct GreenletBody<Value> {
    @usableFromInline let call: @ReactorActor () async throws -> Value
    @inlinable init(_ call: @escaping @ReactorActor () async throws -> Value) { self.call = call }

    /// Takes back what was stored without the type of its value.
    @usableFromInline init(_ body: AnyGreenletBody) {
        // The two words that `AnyGreenletBody` took from a body of this type, which the greenlet's own type says.
        self = unsafeBitCast(body, to: GreenletBody<Value>.self)
    }
}

/// The body of a greenlet of any type of value; only the greenlet knows which.
///
/// A function as it lies in memory, its code and what it captures, and always an object: then its address has a bit to spare,
/// by which `GreenletStage` tells its cases apart without another word.
@usableFromInline struct AnyGreenletBody {
    private let code: UnsafeRawPointer
    private let captured: AnyObject

    @usableFromInline init<Value>(_ body: GreenletBody<Value>) {
        // A function is two words: where its code is, and the object with what it captures, or none.
        let parts = unsafeBitCast(body, to: (code: UnsafeRawPointer, captured: AnyObject?).self)
        code = parts.code
        // Code that captures nothing does not look at what it is given.
        captured = parts.captured ?? Self.nothing
    }

    private final class Nothing: Sendable {}
    private static let nothing = Nothing()
}
