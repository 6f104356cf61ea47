import Glibc
import Logging

/// Runs a program that has an end: runs the reactor until `main` has ended, then ends the process. Twisted's `react`.
///
/// ```swift
/// react { reactor in
///     let poem = try await fetchPoem(from: "127.0.0.1", port: 10000)
///     if poem.isEmpty { throw SystemExit(3) }
/// }
/// ```
/// The process's code is 0 when `main` returns, that of a `SystemExit` it throws, and 1 for any other error, which goes
/// to the reactor's `onUncaughtError`, once. `reactor.stop()` cancels `main` and waits for its end; the code is then 0
/// if all that came of it is the cancellation. SIGINT and SIGTERM do the same with code 128 + signal, as in shells; a
/// second one ends the process at once. Functions registered with atexit(3) run. On the thread that is to run the
/// reactor; never returns.
public func react<Value: Sendable>(
    on reactor: Reactor = .shared,
    _ main: @escaping @Sendable @ReactorActor (Reactor) async throws -> Value,
    file: StaticString = #fileID, line: UInt = #line
) -> Never {
    exit(reactor.exitCode(of: main, file: file, line: line))
}

/// Runs the reactor until the Deferred that `main` returns has fired, then ends the process. As above.
public func react<Value>(
    on reactor: Reactor = .shared,
    _ main: @escaping @Sendable @ReactorActor (Reactor) throws -> Deferred<Value>,
    file: StaticString = #fileID, line: UInt = #line
) -> Never {
    exit(
        reactor.exitCode(
            of: { reactor in
                // What it carries may not be Sendable, and nobody wants it.
                try await main(reactor).addCallback { _ in () }.value
            }, file: file, line: line))
}

extension Reactor {
    /// Runs `main` and returns the code that `react` ends the process with.
    package func exitCode<Value: Sendable>(
        of main: @escaping @Sendable @ReactorActor (Reactor) async throws -> Value,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Int32 {
        let context = "the main function of react at \(file):\(line)"
        do {
            return try run(
                until: { [self] in
                    do {
                        let interruption = try Interruption(of: self)
                        defer { interruption.ignore() }
                        return try await code(of: main, interruption)
                    } catch {
                        onUncaughtError(error, context)
                        return 1
                    }
                }, file: file, line: line)
        } catch is CancellationError {
            return 0  // stopped while starting up; main was never called
        } catch {
            // No thread is the reactor's, so onUncaughtError cannot be asked.
            Logger(label: "reactor").error("\(context) could not be run to its end: \(error)")
            return 1
        }
    }

    @ReactorActor private func code<Value: Sendable>(
        of main: @Sendable @ReactorActor (Reactor) async throws -> Value, _ interruption: Interruption
    ) async throws -> Int32 {
        do {
            _ = try await main(self)
            return 0
        } catch {
            let error = (error as? Failure)?.error ?? error
            if let exit = error as? SystemExit { return exit.code }
            // Nobody but the reactor, when it stops, can cancel this task.
            guard Task.isCancelled, DeferredError.isCancellation(error) else { throw error }
            return interruption.signal.map { 128 + $0 } ?? 0
        }
    }
}

/// Stops the reactor at the first SIGINT or SIGTERM, and leaves the second to the system.
@ReactorActor
private final class Interruption {
    /// The signal that came.
    private(set) var signal: Int32?
    private var handlers: [SignalHandler] = []

    init(of reactor: Reactor) throws {
        for number in [SIGINT, SIGTERM] {
            handlers.append(
                // Internal: that somebody can interrupt the program must not hide a deadlock.
                try SignalHandler(number, on: reactor, isInternal: true) {
                    [weak self, unowned reactor] number in
                    self?.signal = number
                    self?.ignore()
                    // It may stop already.
                    try? reactor.stop()
                })
        }
    }

    /// Lets signals do again what they did before.
    func ignore() {
        for handler in handlers { handler.cancel() }
        handlers = []
    }
}
