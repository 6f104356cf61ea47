import ReactorCore

/// A call that a greenlet has a reactor make, its own or another thread's, and whose outcome it waits for.
///
/// Made and waited for on the greenlet's reactor, begun and ended on the other: `waiter` is used on the first alone, the rest
/// on the second.
final class ReactorCall<Value: Sendable>: @unchecked Sendable {  // see above
    private let home = Reactor.current
    private let target: Reactor
    private let waiter: Waiter<Value>
    private var isAbandoned = false
    private var isOver = false
    /// Ends what the call has set going.
    private var cancelWork: (@ReactorActor () -> Void)?

    /// Has `target` make the call `start`, in no greenlet, in a coming turn.
    @ReactorActor init(
        on target: Reactor, _ start: @escaping @Sendable @ReactorActor (ReactorCall) throws -> Void
    ) {
        self.target = target
        waiter = Waiter(on: .current, for: target === home ? .unspecified : .thread)
        target.callFromThread { [self] in
            guard !isAbandoned else { return }
            AnyGreenlet.$current.withValue(nil) {
                do { try start(self) } catch { finish(.failure(error)) }
            }
        }
    }

    // MARK: On the target

    @ReactorActor func willEnd(byCancelling work: @escaping @ReactorActor () -> Void) {
        if !isOver { cancelWork = work }
    }

    @ReactorActor func finish(_ result: Result<Value, any Error>) {
        isOver = true
        cancelWork = nil
        if home.isOnReactorThread { tell(result) } else { home.callFromThread { self.tell(result) } }
    }

    @ReactorActor private func abandon() {
        isAbandoned = true
        cancelWork.take()?()
    }

    // MARK: At home

    @ReactorActor private func tell(_ result: Result<Value, any Error>) {
        switch result {
        case .success(let value): waiter.resume(returning: value)
        case .failure(let error): waiter.resume(throwing: error)
        }
    }

    @ReactorActor func wait() async throws -> Value {
        do { return try await waiter.wait() } catch {
            giveUp()
            throw error
        }
    }

    @ReactorActor func waitInGreenlet() throws -> Value {
        do { try Greenlet.wait(for: waiter) } catch {
            giveUp()
            throw error
        }
        return waiter.value!  // set before the waiter opens without an error
    }

    /// After the end it does nothing.
    @ReactorActor private func giveUp() {
        if target.isOnReactorThread { abandon() } else { target.callFromThread { self.abandon() } }
    }
}
