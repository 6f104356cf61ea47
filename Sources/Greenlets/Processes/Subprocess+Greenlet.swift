import ReactorCore

// The calls that wait, for synchronous code in a greenlet: each throws what its `async` form does, the killer's error, and
// `GreenletError` with code `notInGreenlet`.

extension Subprocess {
    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func wait(timeout: Duration? = nil) throws -> Status {
        try Greenlet.blockingCall { try await self.wait(timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func end() throws {
        try Greenlet.blockingCall { await self.end() }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func communicate(_ input: [UInt8]? = nil, timeout: Duration? = nil) throws -> Output {
        try Greenlet.blockingCall { try await self.communicate(input, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated static func run(
        _ program: String, _ arguments: String..., input: [UInt8] = [], timeout: Duration? = nil,
        options: Options = Options()
    ) throws -> Output {
        try Greenlet.blockingCall {
            try await Subprocess.run(
                [program] + arguments, input: input, timeout: timeout, options: options)
        }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated static func run(
        _ command: [String], input: [UInt8] = [], timeout: Duration? = nil, options: Options = Options()
    ) throws -> Output {
        try Greenlet.blockingCall {
            try await Subprocess.run(command, input: input, timeout: timeout, options: options)
        }
    }
}
