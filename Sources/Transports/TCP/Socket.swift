import CLinux
import Glibc
import NIOCore

/// The system calls on sockets that this target needs, one function each. Results are as in C: −errno for failure.
enum Socket {
    /// A new TCP socket, non-blocking and closed on exec.
    static func make(family: Int32) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return result(socket(family, kind, 0))
    }

    static func bind(_ fd: Int32, _ address: SocketAddress) -> Int32 {
        address.withSockAddr { result(Glibc.bind(fd, $0, socklen_t($1))) }
    }

    /// One connection waiting on a listening socket, non-blocking and closed on exec, with its peer.
    static func accept(_ fd: Int32) -> (fd: Int32, peer: SocketAddress?) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let accepted = withSockAddr(&storage) { clinux_accept(fd, $0, &length) }
        return (accepted, accepted >= 0 ? SocketAddress(&storage) : nil)
    }

    /// The address of this end.
    static func localAddress(_ fd: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard withSockAddr(&storage, { getsockname(fd, $0, &length) }) == 0 else { return nil }
        return SocketAddress(&storage)
    }

    /// The error that an asynchronous operation left on the socket, and clears it. 0 for none.
    static func takeError(_ fd: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) == 0 else { return errno }
        return value
    }

    @discardableResult
    static func setOption(_ fd: Int32, _ level: Int32, _ name: Int32, _ value: Int32) -> Int32 {
        var value = value
        return result(setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<Int32>.size)))
    }

    static func setNoDelay(_ fd: Int32) { setOption(fd, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

    /// Makes the close to come a reset: what is unsent is dropped and the peer sees ECONNRESET.
    static func setResetOnClose(_ fd: Int32) {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    /// Received byte count, 0 at the end of the stream, −errno. Never waits.
    static func receive(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = recv(fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? -Int(errno) : count
    }

    /// Sent byte count or −errno. Never waits, never raises SIGPIPE.
    static func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let count = Glibc.send(fd, bytes.baseAddress, bytes.count, flags)
        return count < 0 ? -Int(errno) : count
    }

    static func shutdownWriting(_ fd: Int32) { shutdown(fd, Int32(SHUT_WR)) }

    private static func result(_ value: Int32) -> Int32 { value < 0 ? -errno : value }

    private static func withSockAddr<Value>(
        _ storage: inout sockaddr_storage, _ body: (UnsafeMutablePointer<sockaddr>) -> Value
    ) -> Value {
        withUnsafeMutableBytes(of: &storage) { raw in
            // sockaddr_storage exists to be seen as any sockaddr.
            body(raw.baseAddress!.assumingMemoryBound(to: sockaddr.self))
        }
    }
}
