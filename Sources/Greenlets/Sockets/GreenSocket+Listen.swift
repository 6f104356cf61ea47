import Glibc
import ReactorCore

extension GreenSocket {
    /// A listening TCP socket. Never waits. Python's `create_server`.
    ///
    /// - Parameters:
    ///   - host: an IP address in numbers; `0.0.0.0` and `::` mean every address of the machine.
    ///   - port: 0 takes a free one: see `localAddress`.
    ///   - reusePort: whether other sockets, of other processes too, may listen on the same port beside it.
    /// - Throws: `GreenletError` with code `systemCall` (EADDRINUSE), which names the address; `invalidArgument`.
    public static func listen(
        on host: String = "127.0.0.1", port: Int, backlog: Int = 128, reusePort: Bool = false
    ) throws -> GreenSocket {
        let address = try Address(host, port: port)
        let socket = try GreenSocket(address.family, .stream)
        try socket.set(.reuseAddress, to: true)
        if reusePort { try socket.set(.reusePort, to: true) }
        try socket.bind(to: address)
        try socket.listen(backlog: backlog)
        return socket
    }

    /// Gives the socket an address. Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall` (EADDRINUSE, EACCES), which names the address; `closed`; `invalidArgument`.
    public func bind(to address: Address) throws {
        try check("bind to \(address)") { fd in try address.withSockAddr { Glibc.bind(fd, $0, $1) } }
    }

    /// Lets clients connect. Never waits.
    ///
    /// - Parameter backlog: how many connections the kernel holds for `accept`.
    /// - Throws: `GreenletError` with code `systemCall` or `closed`.
    public func listen(backlog: Int = 128) throws {
        try check("listen") { Glibc.listen($0, Int32(clamping: backlog)) }
    }

    /// Parks until a client has connected, and returns its connection, whose `timeout` is nil; `remoteAddress` says who it is.
    ///
    /// - Throws: `GreenletError` with code `timedOut`, `closed`, `busy`, `systemCall` (EMFILE when no descriptors are left; the
    ///   client waits then); `CancellationError`. No client is lost.
    public func accept(timeout: Duration? = nil) async throws -> GreenSocket {
        try await perform("accept", .readable, timeout) { call in
            let client = try await attempt(call) { fd in
                while true {
                    let result = SocketCalls.accept(fd)
                    // A client that has gone again is none.
                    if result != -Int(ECONNABORTED), result != -Int(EPROTO) { return result }
                }
            }
            return GreenSocket(owning: Int32(client))
        }
    }
}
