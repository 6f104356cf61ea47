import CLinux
import Glibc
public import ReactorCore

/// One end of a pipe, whose calls park the calling greenlet instead of blocking the thread: gevent's `FileObject` of a pipe.
///
/// ```swift
/// let (reading, writing) = try GreenPipe.make()
/// try await writing.write("one line\n")
/// writing.close()
/// for try await line in reading.lines() { print(line) }
/// ```
/// Time-outs, concurrent use, cancellation and errors are those of `GreenSocket`. Writing to a pipe whose reader is gone is an
/// error, EPIPE, without a signal. Reactor only. Released without `close()` it is closed.
@ReactorActor
public final class GreenPipe {
    let stream: GreenSocket

    /// Takes over one end of a pipe, or of what else epoll(7) can wait for; it becomes non-blocking and closed on exec. Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall`; the descriptor is the caller's still then.
    public init(adopting descriptor: Int32) throws {
        try SocketCalls.makeNonBlocking(descriptor)
        stream = GreenSocket(owning: descriptor, isPipe: true)
    }

    private init(_ stream: GreenSocket) { self.stream = stream }

    /// A pipe: the end that reads and the end that writes. Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall`.
    public static func make() throws -> (reading: GreenPipe, writing: GreenPipe) {
        var ends: [Int32] = [-1, -1]
        let result = clinux_pipe(&ends)
        guard result == 0 else { throw GreenletError(systemCall: "pipe", -result) }
        // Each object closes its end, should the other fail.
        let streams = ends.map { GreenSocket(owning: $0, isPipe: true) }
        for end in ends { try SocketCalls.makeNonBlocking(end) }
        return (GreenPipe(streams[0]), GreenPipe(streams[1]))
    }

    /// How long a call that names no time-out may take; nil, the default, for ever.
    public var timeout: Duration? {
        get { stream.timeout }
        set { stream.timeout = newValue }
    }
    /// The descriptor, for calls that this type does not have; −1 once it is closed.
    public var descriptor: Int32 { stream.descriptor }
    /// Whether it has been closed.
    public var isClosed: Bool { stream.isClosed }

    /// Closes this end: greenlets parked on it get `GreenletError` with code `closed`; the other end sees the end of the stream, or
    /// EPIPE. Never waits; closing twice does nothing.
    public func close() { stream.close() }

    /// Parks until something has come, and returns it; empty at the end. As `GreenSocket.receive(atMost:timeout:)`.
    public func read(atMost limit: Int = 65_536, timeout: Duration? = nil) async throws -> [UInt8] {
        try await stream.receive(atMost: limit, timeout: timeout)
    }

    /// Parks until `count` bytes have come. As `GreenSocket.receive(exactly:timeout:)`.
    public func read(exactly count: Int, timeout: Duration? = nil) async throws -> [UInt8] {
        try await stream.receive(exactly: count, timeout: timeout)
    }

    /// Parks until the other end is closed, and returns all that came. As `GreenSocket.receiveToEnd(atMost:timeout:)`.
    public func readToEnd(atMost limit: Int = .max, timeout: Duration? = nil) async throws -> [UInt8] {
        try await stream.receiveToEnd(atMost: limit, timeout: timeout)
    }

    /// Parks until the kernel has taken all of `bytes`. As `GreenSocket.sendAll(_:timeout:)`.
    public func write(_ bytes: [UInt8], timeout: Duration? = nil) async throws {
        try await stream.sendAll(bytes, timeout: timeout)
    }

    /// Parks until the kernel has taken all of the text, in UTF-8.
    public func write(_ text: String, timeout: Duration? = nil) async throws {
        try await stream.sendAll(text, timeout: timeout)
    }

    /// The lines that come. As `GreenSocket.lines(atMost:timeout:)`.
    public func lines(atMost limit: Int = 65_536, timeout: Duration? = nil) -> GreenLines {
        stream.lines(atMost: limit, timeout: timeout)
    }

    /// The bytes that come. As `GreenSocket.chunks(atMost:timeout:)`.
    public func chunks(atMost limit: Int = 65_536, timeout: Duration? = nil) -> GreenChunks {
        stream.chunks(atMost: limit, timeout: timeout)
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func read(atMost limit: Int = 65_536, timeout: Duration? = nil) throws -> [UInt8] {
        try Greenlet.blockingCall { try await self.read(atMost: limit, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func read(exactly count: Int, timeout: Duration? = nil) throws -> [UInt8] {
        try Greenlet.blockingCall { try await self.read(exactly: count, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func readToEnd(atMost limit: Int = .max, timeout: Duration? = nil) throws -> [UInt8] {
        try Greenlet.blockingCall { try await self.readToEnd(atMost: limit, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func write(_ bytes: [UInt8], timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.write(bytes, timeout: timeout) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func write(_ text: String, timeout: Duration? = nil) throws {
        try Greenlet.blockingCall { try await self.write(text, timeout: timeout) }
    }
}
