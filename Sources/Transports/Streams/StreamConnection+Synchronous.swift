import Greenlets
public import NIOCore

/// The same calls for synchronous code in a greenlet: they park its stack. Outside a greenlet they throw `GreenletError`
/// with code `notInGreenlet`.
extension StreamConnection {
    /// As the `async` form.
    public func read(upTo limit: Int = 65_536) throws -> ByteBuffer? {
        try Greenlet.blockingCall { try await self.read(upTo: limit) }
    }

    /// As the `async` form.
    public func readLine() throws -> String? { try Greenlet.blockingCall { try await self.readLine() } }

    /// As the `async` form.
    public func write(_ bytes: ByteBuffer) throws {
        try Greenlet.blockingCall { try await self.write(bytes) }
    }

    /// As the `async` form.
    public func write(_ text: String) throws { try Greenlet.blockingCall { try await self.write(text) } }
}
