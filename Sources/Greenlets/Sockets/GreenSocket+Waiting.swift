import Glibc
import ReactorCore

/// One call on a socket that may wait: what it is called in messages, and how long it may take.
struct SocketCall {
    let name: String
    let timeout: Duration?
    let deadline: ReactorInstant?
    let direction: ReadySet
}

extension GreenSocket {
    /// How many calls in a row may find something to do at once before the others get a turn.
    private static let longestStreak = 32

    /// Runs `body` as the only call in its direction.
    func perform<Value: Sendable>(
        _ name: String, _ direction: ReadySet, _ timeout: Duration?,
        _ body: @ReactorActor (SocketCall) async throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        guard fd >= 0 else { throw closedError(name) }
        guard busy.isDisjoint(with: direction) else {
            throw GreenletError(
                .busy,
                """
                \(name): another greenlet already \(direction == .readable ? "reads from" : "writes to") the socket \
                \(fd); use a lock, or one greenlet for each direction
                """)
        }
        busy.formUnion(direction)
        defer { busy.subtract(direction) }
        let timeout = timeout ?? self.timeout
        let deadline = timeout.map { reactor.now.advanced(by: $0) }
        return try await body(
            SocketCall(name: name, timeout: timeout, deadline: deadline, direction: direction))
    }

    /// Makes a system call until it does not answer −EAGAIN, parking in between. Returns what it answered, not negative.
    func attempt(_ call: SocketCall, _ body: (Int32) throws -> Int) async throws -> Int {
        if streak >= Self.longestStreak {
            streak = 0
            await reactor.yield()
        }
        while true {
            guard fd >= 0 else { throw closedError(call.name) }
            let result = try body(fd)
            if result >= 0 {
                streak += 1
                return result
            }
            switch Int32(-result) {
            case EINTR: continue
            case EAGAIN: try await wait(call)
            default: throw GreenletError(systemCall: call.name, Int32(-result))
            }
        }
    }

    /// Parks until the socket is ready for the call's direction.
    func wait(_ call: SocketCall) async throws {
        streak = 0
        guard fd >= 0 else { throw closedError(call.name) }
        let left = call.deadline.map { max(.zero, reactor.now.duration(to: $0)) }
        do {
            if call.direction == .readable {
                try await reactor.waitUntilReadable(fd, timeout: left)
            } else {
                try await reactor.waitUntilWritable(fd, timeout: left)
            }
        } catch let error as ReactorError { throw translate(error, call) }
    }

    private func translate(_ error: ReactorError, _ call: SocketCall) -> any Error {
        switch error.code {
        case .timedOut: timeoutError(call)
        case .descriptorClosed: closedError(call.name)
        case .descriptorBusy:
            GreenletError(.busy, "\(call.name): \(error.message)")
        default: error
        }
    }

    func timeoutError(_ call: SocketCall) -> GreenletError {
        GreenletError(
            .timedOut, "timed out: \(call.name) took longer than \(call.timeout ?? .zero)", errno: ETIMEDOUT)
    }

    func closedError(_ name: String) -> GreenletError {
        GreenletError(.closed, "\(name): the socket is closed (EBADF)", errno: EBADF)
    }

    /// Makes a system call that answers −1 for failure.
    func check(_ name: String, _ body: (Int32) throws -> Int32) throws {
        guard fd >= 0 else { throw closedError(name) }
        guard try body(fd) >= 0 else { throw GreenletError(systemCall: name, errno) }
    }
}

extension GreenletError {
    /// A system call that failed, or what it was made for.
    init(systemCall name: String, _ code: Int32) {
        self.init(.systemCall, "\(name) failed: \(errnoText(code))", errno: code)
    }
}
