import CLinux
import Glibc

/// The system calls on sockets, one function each: counts or −errno, none waits.
enum SocketCalls {
    private static let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    static func make(_ family: GreenSocket.Family, _ kind: GreenSocket.Kind) throws -> Int32 {
        let domain =
            switch family {
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            case .unix: AF_UNIX
            }
        let fd = socket(domain, type(kind), 0)
        guard fd >= 0 else { throw GreenletError(systemCall: "socket", errno) }
        return fd
    }

    static func pair(_ kind: GreenSocket.Kind) throws -> (Int32, Int32) {
        var fds: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, type(kind), 0, &fds) == 0 else {
            throw GreenletError(systemCall: "socketpair", errno)
        }
        return (fds[0], fds[1])
    }

    private static func type(_ kind: GreenSocket.Kind) -> Int32 {
        flags
            | (kind == .stream ? Int32(SOCK_STREAM.rawValue) : Int32(SOCK_DGRAM.rawValue))
    }

    static func adopt(_ fd: Int32) throws {
        var kind: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &length) == 0 else {
            throw GreenletError(systemCall: "adopting descriptor \(fd) as a socket", errno)
        }
        try makeNonBlocking(fd)
    }

    static func makeNonBlocking(_ fd: Int32) throws {
        let status = fcntl(fd, F_GETFL)
        guard status >= 0, fcntl(fd, F_SETFL, status | O_NONBLOCK) == 0, fcntl(fd, F_SETFD, FD_CLOEXEC) == 0
        else { throw GreenletError(systemCall: "fcntl", errno) }
    }

    static func receive(_ fd: Int32, atMost limit: Int, isPipe: Bool) -> (result: Int, bytes: [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: limit, alignment: 1) { buffer in
            let count =
                isPipe
                ? read(fd, buffer.baseAddress, limit)
                : recv(fd, buffer.baseAddress, limit, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return (-Int(errno), []) }
            return (count, Array(UnsafeRawBufferPointer(rebasing: buffer[..<count])))
        }
    }

    /// `result` is the length of the whole datagram, whatever of it there was room for.
    static func receiveFrom(_ fd: Int32, atMost limit: Int) -> (
        result: Int, bytes: [UInt8], sender: GreenSocket.Address?
    ) {
        withUnsafeTemporaryAllocation(byteCount: limit, alignment: 1) { buffer in
            var count = 0
            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_TRUNC)
            let (result, sender) = fillingAddress {
                count = recvfrom(fd, buffer.baseAddress, limit, flags, $0, $1)
                return count < 0 ? -1 : 0
            }
            guard result == 0 else { return (-Int(errno), [], nil) }
            let bytes = Array(UnsafeRawBufferPointer(rebasing: buffer[..<min(count, limit)]))
            return (count, bytes, sender)
        }
    }

    static func send(_ fd: Int32, _ bytes: ArraySlice<UInt8>, to address: GreenSocket.Address?) throws -> Int
    {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return try bytes.withUnsafeBytes { raw in
            let count =
                if let address {
                    try address.withSockAddr { sendto(fd, raw.baseAddress, raw.count, flags, $0, $1) }
                } else {
                    Glibc.send(fd, raw.baseAddress, raw.count, flags)
                }
            return count < 0 ? -Int(errno) : count
        }
    }

    static func write(_ fd: Int32, _ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { clinux_write_without_signal(fd, $0.baseAddress, $0.count) }
    }

    static func accept(_ fd: Int32) -> Int { Int(clinux_accept(fd, nil, nil)) }

    static func connect(_ fd: Int32, _ address: GreenSocket.Address) throws -> Int32 {
        try address.withSockAddr { Glibc.connect(fd, $0, $1) == 0 ? 0 : errno }
    }

    /// The error that a connect has left on the socket, and clears it.
    static func takeError(_ fd: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) == 0 else { return errno }
        return value
    }

    /// Lets `call` fill in an address.
    static func fillingAddress(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> (result: Int32, address: GreenSocket.Address?) {
        var storage = sockaddr_storage()
        let size = MemoryLayout<sockaddr_storage>.size
        var length = socklen_t(size)
        return withUnsafeMutableBytes(of: &storage) { raw in
            // sockaddr_storage exists to be seen as any sockaddr.
            let result = call(raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
            guard result == 0 else { return (result, nil) }
            let filled = UnsafeRawBufferPointer(rebasing: raw[..<min(size, Int(length))])
            return (result, GreenSocket.Address(filled))
        }
    }
}
