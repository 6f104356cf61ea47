import CLinux

/// The isolation of everything cooperative: what is `@ReactorActor` runs on a reactor's thread and nowhere
/// else.
///
/// State shared by green threads needs no lock, as in gevent, and here the compiler proves it: calling
/// reactor-only API from another thread does not compile without `await` or `callFromThread`.
///
/// The executor behind it is the reactor of the calling thread; on a foreign thread the reactor that the
/// current task prefers; failing both, `Reactor.shared`. A process that makes a second reactor (a test, say)
/// keeps the objects of each to itself.
@globalActor
public actor ReactorActor {
    /// The one instance; it holds no state.
    public static let shared = ReactorActor()

    /// The reactor to run on; see the type's description for which one.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        Reactor.ofThisThread?.asUnownedSerialExecutor() ?? Self.executorOffThread()
    }

    /// Cold path: code isolated to us is about to be entered from a thread that runs no reactor.
    ///
    /// A task of a second reactor may be coming back from another actor's thread. Its executor preference
    /// says where it belongs; without this look-up it would land on the shared reactor.
    private static func executorOffThread() -> UnownedSerialExecutor {
        let preferred = withUnsafeCurrentTask { task in
            task?.unownedTaskExecutor.flatMap { Reactor.withTaskExecutor($0) }
        }
        return (preferred ?? Reactor.shared).asUnownedSerialExecutor()
    }

    private init() {}

    /// Runs `body` at once, as isolated code, on the reactor's own thread.
    ///
    /// For callbacks that arrive on the reactor's thread through plain C or closures whose type cannot say
    /// so.
    /// - Precondition: The calling thread runs a reactor.
    @inlinable public static func assumeIsolated<Value: Sendable, Failure: Error>(
        _ body: @ReactorActor () throws(Failure) -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(Failure) -> Value {
        checkThread(file, line)
        return try runIsolated(body)
    }

    /// The same, for who has found out by other means that this is a reactor's thread.
    @inlinable package static func runIsolated<Value, Failure: Error>(
        _ body: @ReactorActor () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        // What loses its isolation is not `body`, which would need a context on the heap to be cast, but the function that
        // calls it, which has no context. Bound up in types that a cast leaves as they are: a function that is cast by itself
        // is wrapped on the way in and on the way out.
        try unsafeBitCast(
            IsolatedCaller<Value, Failure>(callIsolated), to: PlainCaller<Value, Failure>.self
        ).call(body)
    }

    @inlinable @ReactorActor static func callIsolated<Value, Failure: Error>(
        _ body: @ReactorActor () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body()
    }

    @usableFromInline static func checkThread(_ file: StaticString, _ line: UInt) {
        precondition(
            Reactor.isOnAnyReactorThread,
            "reactor-only code was called from a thread that runs no reactor; use callFromThread",
            file: file, line: line)
    }
}

/// A function of the reactor that calls another.
@frozen @usableFromInline struct IsolatedCaller<Value, Failure: Error> {
    @usableFromInline typealias Body = @ReactorActor () throws(Failure) -> Value
    @usableFromInline let call: @ReactorActor (Body) throws(Failure) -> Value

    @inlinable init(_ call: @escaping @ReactorActor (Body) throws(Failure) -> Value) { self.call = call }
}

/// The same, by a type that does not say so.
@frozen @usableFromInline struct PlainCaller<Value, Failure: Error> {
    @usableFromInline let call: (@ReactorActor () throws(Failure) -> Value) throws(Failure) -> Value
}
