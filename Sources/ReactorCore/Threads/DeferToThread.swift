/// Runs `work` on a worker thread of the current reactor. As `Reactor.deferToThread`.
@ReactorActor public func deferToThread<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    Reactor.current.deferToThread(work, file: file, line: line)
}

/// Runs `function` with `arguments` on a worker thread of the current reactor. As `Reactor.deferToThread`.
@ReactorActor public func deferToThread<each Argument: Sendable, Value: Sendable>(
    _ function: @escaping @Sendable (repeat each Argument) throws -> Value,
    _ arguments: repeat each Argument, file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    Reactor.current.deferToThread({ try function(repeat each arguments) }, file: file, line: line)
}

/// Runs `work` on a thread of `pool`; the Deferred fires on the current reactor. As
/// `Reactor.deferToThreadPool`.
@ReactorActor public func deferToThreadPool<Value: Sendable>(
    _ pool: ThreadPool, _ work: @escaping @Sendable () throws -> Value,
    file: StaticString = #fileID, line: UInt = #line
) -> Deferred<Value> {
    Reactor.current.deferToThreadPool(pool, work, file: file, line: line)
}
