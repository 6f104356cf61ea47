import CLinux
import Glibc

/// A connected pair of sockets, closed with the object.
final class SocketPair: Sendable {
    let a: Int32
    private let b: Int32

    init(tcp: Bool = false) {
        var fds: [Int32] = [0, 0]
        if tcp {
            fds = Self.tcpPair()
        } else {
            precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &fds) == 0)
        }
        (a, b) = (fds[0], fds[1])
    }

    private static func tcpPair() -> [Int32] {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        precondition(listen(listener, 1) == 0)  // binds to a free port of every address
        var address = sockaddr()
        var length = socklen_t(MemoryLayout<sockaddr>.size)
        precondition(getsockname(listener, &address, &length) == 0)
        let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        precondition(connect(far, &address, length) == 0)
        return [accept(listener, nil, nil), far]
    }

    func send() { _ = write(b, "x", 1) }
    func sendUrgent() { _ = Glibc.send(b, "u", 1, Int32(MSG_OOB)) }
    func drain() { Self.drain(a) }
    func drainFar() { Self.drain(b) }
    private static func drain(_ fd: Int32) {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while recv(fd, &bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
    }
    /// Writes until the socket takes no more.
    func fill() {
        let bytes = [UInt8](repeating: 0, count: 65_536)
        while Glibc.send(a, bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
    }
    func endFarWrites() { shutdown(b, Int32(SHUT_WR)) }
    func closeFar() { shutdown(b, Int32(SHUT_RDWR)) }

    deinit {
        close(a)
        close(b)
    }
}
