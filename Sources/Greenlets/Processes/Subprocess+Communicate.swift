import Glibc
import ReactorCore

extension Subprocess {
    /// Writes `input` to the child and closes its input, reads all that it writes, and parks until it has ended.
    ///
    /// A child that does not read its input to the end is no error.
    /// - Parameter input: nil for none; the child's input is closed all the same.
    /// - Throws: `SubprocessError` with code `timedOut`, whose `output` has what was read by then; the child lives on, and another
    ///   call goes on where this one ended, with its input. `CancellationError`, with nothing lost either. `GreenletError` with code
    ///   `busy` when another greenlet reads from the pipes.
    public func communicate(_ input: [UInt8]? = nil, timeout: Duration? = nil) async throws -> Output {
        if unsent == nil { unsent = input ?? [] }
        guard let timeout else { return try await exchange() }
        return try await withTimeout(timeout, exchange) {
            SubprocessError(
                .timedOut, "the program \(self.program) took longer than \(timeout)", output: self.collected)
        }
    }

    private func withTimeout(
        _ timeout: Duration, _ body: @ReactorActor () async throws -> Output, _ late: () -> any Error
    ) async throws -> Output {
        var own: Timeout?
        do {
            return try await runWithTimeout(timeout) { limit in
                own = limit
                return try await body()
            }
        } catch  where own?.owns(error) == true { throw late() }
    }

    private func exchange() async throws -> Output {
        async let feeding: Void = feed()
        async let reading: Void = drain(output, \.output)
        async let hearing: Void = drain(errors, \.errors)
        _ = try await (feeding, reading, hearing)
        collected.status = try await wait()
        return collected
    }

    private func feed() async throws {
        guard let input, !input.isClosed else { return }
        do {
            while let rest = unsent, !rest.isEmpty {
                let count = try await input.stream.send(rest)
                unsent = Array(rest.dropFirst(count))
            }
        } catch let error as GreenletError where error.errno == EPIPE {}  // it reads no more
        input.close()
    }

    private func drain(_ pipe: GreenPipe?, _ place: any WritableKeyPath<Output, [UInt8]> & Sendable)
        async throws
    {
        guard let pipe, !pipe.isClosed else { return }
        while true {
            let bytes = try await pipe.read()
            if bytes.isEmpty { break }
            collected[keyPath: place] += bytes
        }
        pipe.close()
    }

    /// Runs a program to its end: gives it `input`, and returns what it wrote and how it ended, well or not. Python's `run`.
    ///
    /// - Parameters:
    ///   - program: a path, or a name that is looked for in this process's PATH.
    ///   - arguments: what it is given; no shell sees them.
    ///   - input: what it reads.
    ///   - timeout: how long it may take; nil for any time.
    /// - Throws: as `start`; `SubprocessError` with code `timedOut`, with what it wrote by then; `CancellationError`. Then the child
    ///   has been killed and has ended.
    public static func run(
        _ program: String, _ arguments: String..., input: [UInt8] = [], timeout: Duration? = nil,
        options: Options = Options()
    ) async throws -> Output {
        try await run([program] + arguments, input: input, timeout: timeout, options: options)
    }

    /// Runs a program to its end: the first of the words is the program, the others are its arguments. As the other form.
    public static func run(
        _ command: [String], input: [UInt8] = [], timeout: Duration? = nil, options: Options = Options()
    ) async throws -> Output {
        try Task.checkCancellation()
        return try await withSubprocess(start(command, options: options)) { process in
            try await process.communicate(input, timeout: timeout)
        }
    }
}

extension Subprocess.Output {
    /// Itself, when the program ended with success. Python's `check_returncode`.
    ///
    /// - Throws: `SubprocessError` with code `failed` and this as its `output`; what the program wrote is not in its description.
    public func checked(_ program: String) throws -> Subprocess.Output {
        guard status?.isSuccess == true else {
            let end = status.map(\.description) ?? "no end"
            throw SubprocessError(.failed, "the program \(program) ended with \(end)", output: self)
        }
        return self
    }
}

/// Runs `body` with a child, which has ended when this returns: one that runs still is killed, and fetched. Its pipes are closed.
///
/// - Throws: what `body` throws.
@ReactorActor
public func withSubprocess<Value: Sendable>(
    _ process: Subprocess, _ body: @ReactorActor (Subprocess) async throws -> Value
) async throws -> Value {
    do {
        let value = try await body(process)
        await process.end()
        return value
    } catch {
        await process.end()
        throw error
    }
}

/// As the `async` form, for synchronous code in a greenlet.
///
/// - Throws: what `body` throws; `GreenletError` with code `notInGreenlet`.
@_disfavoredOverload  // or a body without an await would choose it in async code, too
public func withSubprocess<Value: Sendable>(
    _ process: Subprocess, _ body: @ReactorActor (Subprocess) throws -> Value
) throws -> Value {
    try Greenlet.inFiber { fiber in
        defer { try? fiber.withShield { try process.end() } }
        return try body(process)
    }
}
