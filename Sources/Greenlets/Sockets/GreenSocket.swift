import Glibc
public import ReactorCore

/// A socket whose calls park the calling greenlet instead of blocking the thread: gevent's `socket`.
///
/// ```swift
/// let socket = try await GreenSocket.connect(to: "example.org", port: 80, timeout: .seconds(5))
/// try await socket.sendAll("HEAD / HTTP/1.0\r\n\r\n")
/// for try await line in socket.lines() { print(line) }
/// socket.close()
/// ```
/// Every call that waits has an `async` form and one for synchronous code in a greenlet.
///
/// **Time.** Each call that waits takes a `timeout`; nil means the socket's own, `timeout`, which is nil, for ever, unless set.
/// The time is for the whole call, however often it waits.
///
/// **One reader, one writer.** While a greenlet reads (`receive…`, `accept`), a second that tries gets `GreenletError` with code
/// `busy`, and the first is not disturbed; the same for writing (`send…`, `connect`).
///
/// **Cancellation.** A read that is cancelled, killed or out of time has lost nothing: what it had received is there for the next
/// read. Of a `sendAll` any part may have been sent.
///
/// **Errors.** `GreenletError`, with the `errno` behind it: `timedOut`, `closed` when the socket is closed, before or while the
/// call waits (EBADF), `busy`, `systemCall`, and what each call names. `CancellationError`, or the killer's error.
///
/// Reactor only. Released without `close()` it is closed.
@ReactorActor
public final class GreenSocket: StreamReading {
    /// Which addresses a socket has.
    public enum Family: Sendable {
        /// IPv4 addresses and ports.
        case ipv4
        /// IPv6 addresses and ports.
        case ipv6
        /// Paths of the file system, and abstract names.
        case unix
    }

    /// What a socket carries.
    public enum Kind: Sendable {
        /// A stream of bytes: TCP.
        case stream
        /// Single messages: UDP.
        case datagram
    }

    /// The part of a connection that `shutdown(_:)` ends.
    public enum Side: Sendable {
        /// Nothing more is received: a parked reader sees the end of the stream.
        case read
        /// Nothing more is sent: the peer sees the end of the stream once it has read what was sent.
        case write
        /// Both.
        case both
    }

    /// How long a call that names no time-out may take; nil, the default, for ever. Python's `settimeout`.
    public var timeout: Duration?
    /// The descriptor, for calls that this type does not have; −1 once it is closed.
    public var descriptor: Int32 { fd }
    /// Whether it has been closed, or given away by `detach()`.
    public var isClosed: Bool { fd < 0 }

    nonisolated(unsafe) var fd: Int32  // reactor only, then deinit
    let reactor = Reactor.current
    /// Whether it is an end of a pipe, which other system calls are for.
    let isPipe: Bool
    /// What was received for calls that were then given up, or found behind the end of a line.
    package var readAhead = ReadAhead()
    /// The directions in which a call is under way.
    var busy: ReadySet = []
    /// How many system calls in a row found something to do at once.
    var streak = 0

    /// Makes a socket that is neither bound nor connected. Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall`: no descriptors are left, or the machine has no such addresses.
    public convenience init(_ family: Family = .ipv4, _ kind: Kind = .stream) throws {
        self.init(owning: try SocketCalls.make(family, kind))
    }

    /// Takes over an open socket, which becomes non-blocking and closed on exec. Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall`; the descriptor is the caller's still then.
    public convenience init(adopting descriptor: Int32) throws {
        try SocketCalls.adopt(descriptor)
        self.init(owning: descriptor)
    }

    /// A non-blocking socket, closed on exec.
    init(owning fd: Int32, isPipe: Bool = false) {
        self.fd = fd
        self.isPipe = isPipe
    }

    deinit {
        // Nobody waits: who waits holds it.
        if fd >= 0 { Glibc.close(fd) }
    }

    /// Two connected sockets of this process, without addresses: socketpair(2). Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall`.
    public static func pair(_ kind: Kind = .stream) throws -> (GreenSocket, GreenSocket) {
        let (one, other) = try SocketCalls.pair(kind)
        return (GreenSocket(owning: one), GreenSocket(owning: other))
    }

    /// Closes the socket: greenlets parked on it get `GreenletError` with code `closed` (EBADF). What was sent is still
    /// delivered. Never waits; closing twice does nothing.
    public func close() {
        guard let fd = give() else { return }
        Glibc.close(fd)
    }

    /// Gives the open descriptor, non-blocking, to the caller, who closes it; for this object the socket is closed, and who is
    /// parked on it hears that. What was read ahead is lost. Never waits.
    ///
    /// - Returns: nil when it is closed already.
    public func detach() -> Int32? { give() }

    private func give() -> Int32? {
        guard fd >= 0 else { return nil }
        reactor.descriptorWillClose(fd)
        defer { fd = -1 }
        return fd
    }

    /// Ends one side of the connection, or both; the descriptor stays open. Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall` (ENOTCONN when there is no connection) or `closed`.
    public func shutdown(_ side: Side) throws {
        let how =
            switch side {
            case .read: Int32(SHUT_RD)
            case .write: Int32(SHUT_WR)
            case .both: Int32(SHUT_RDWR)
            }
        try check("shutdown") { Glibc.shutdown($0, how) }
    }

    /// The address of this end. Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall` or `closed`.
    public var localAddress: Address {
        get throws { try address("getsockname") { getsockname($0, $1, $2) } }
    }

    /// The address of the other end. Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall` (ENOTCONN when there is no connection) or `closed`.
    public var remoteAddress: Address {
        get throws { try address("getpeername") { getpeername($0, $1, $2) } }
    }

    private func address(
        _ name: String,
        _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws -> Address {
        var found = Address.unix("")
        try check(name) { fd in
            let (result, address) = SocketCalls.fillingAddress { call(fd, $0, $1) }
            if let address { found = address }
            return result
        }
        return found
    }
}
