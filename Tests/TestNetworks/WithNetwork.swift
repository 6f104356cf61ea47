public import ReactorCore
import ReactorTesting

/// `withReactor` for tests with connections: what is just closing gets time to finish before leaks are looked for.
public func withNetwork(_ body: @escaping @Sendable @ReactorActor (Reactor) async throws -> Void) async throws
{
    try await withReactor { reactor in
        try await body(reactor)
        let deadline = reactor.now.advanced(by: .seconds(5))
        while reactor.delayedCallCount > 0 || !reactor.watchedDescriptors.isEmpty, reactor.now < deadline {
            try await reactor.sleep(for: .microseconds(200))
        }
    }
}

/// Lets the reactor turn until `condition` holds. `withReactor`'s limit ends a test whose condition never does.
@ReactorActor
public func eventually(_ condition: @ReactorActor () -> Bool) async throws {
    while !condition() {
        // A short sleep and no yield: that would keep the processor, and the sockets, from everybody else.
        try await Reactor.current.sleep(for: .microseconds(200))
    }
}
