import CLinux
import Glibc

extension GreenSocket {
    /// A setting of a socket: setsockopt(2).
    ///
    /// ```swift
    /// try socket.set(.noDelay, to: true)
    /// let room = try socket.value(of: .receiveBufferSize)
    /// ```
    public struct Option<Value: Sendable>: Sendable {
        let level: Int32
        let name: Int32
        let text: String
    }

    /// Changes a switch. Never waits.
    ///
    /// - Throws: `GreenletError` with code `systemCall`, when the kind of socket has no such option, or `closed`.
    public func set(_ option: Option<Bool>, to isOn: Bool) throws {
        try set(option.level, option.name, option.text, isOn ? 1 : 0)
    }

    /// Changes a number. Never waits. As the form with a switch.
    public func set(_ option: Option<Int>, to number: Int) throws {
        try set(option.level, option.name, option.text, Int32(clamping: number))
    }

    /// Whether a switch is on. Never waits.
    ///
    /// - Throws: as `set(_:to:)`.
    public func value(of option: Option<Bool>) throws -> Bool {
        try value(option.level, option.name, option.text) != 0
    }

    /// The number set. The kernel doubles the sizes of buffers. Never waits.
    ///
    /// - Throws: as `set(_:to:)`.
    public func value(of option: Option<Int>) throws -> Int {
        Int(try value(option.level, option.name, option.text))
    }

    private func set(_ level: Int32, _ name: Int32, _ text: String, _ value: Int32) throws {
        var value = value
        try check("setting \(text)") {
            setsockopt($0, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    private func value(_ level: Int32, _ name: Int32, _ text: String) throws -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        try check("reading \(text)") { getsockopt($0, level, name, &value, &length) }
        return value
    }
}

extension GreenSocket.Option where Value == Bool {
    private static var tcp: Int32 { Int32(IPPROTO_TCP) }

    /// Sends small pieces at once: TCP_NODELAY.
    public static var noDelay: Self { Self(level: tcp, name: TCP_NODELAY, text: "TCP_NODELAY") }
    /// Asks a silent peer whether it is alive: SO_KEEPALIVE.
    public static var keepAlive: Self { Self(level: SOL_SOCKET, name: SO_KEEPALIVE, text: "SO_KEEPALIVE") }
    /// Binds to an address with connections of an earlier program: SO_REUSEADDR.
    public static var reuseAddress: Self {
        Self(level: SOL_SOCKET, name: SO_REUSEADDR, text: "SO_REUSEADDR")
    }
    /// Shares the port with others who set it: SO_REUSEPORT.
    public static var reusePort: Self { Self(level: SOL_SOCKET, name: SO_REUSEPORT, text: "SO_REUSEPORT") }
    /// May send to broadcast addresses: SO_BROADCAST.
    public static var broadcast: Self { Self(level: SOL_SOCKET, name: SO_BROADCAST, text: "SO_BROADCAST") }
}

extension GreenSocket.Option where Value == Int {
    private static var tcp: Int32 { Int32(IPPROTO_TCP) }

    /// Bytes the kernel holds to be sent: SO_SNDBUF.
    public static var sendBufferSize: Self { Self(level: SOL_SOCKET, name: SO_SNDBUF, text: "SO_SNDBUF") }
    /// Bytes the kernel holds to be received: SO_RCVBUF.
    public static var receiveBufferSize: Self { Self(level: SOL_SOCKET, name: SO_RCVBUF, text: "SO_RCVBUF") }
    /// Seconds of silence before the peer is asked, with `keepAlive`: TCP_KEEPIDLE.
    public static var keepAliveIdle: Self { Self(level: tcp, name: TCP_KEEPIDLE, text: "TCP_KEEPIDLE") }
    /// Seconds between questions: TCP_KEEPINTVL.
    public static var keepAliveInterval: Self { Self(level: tcp, name: TCP_KEEPINTVL, text: "TCP_KEEPINTVL") }
    /// Questions without an answer before the connection is over: TCP_KEEPCNT.
    public static var keepAliveCount: Self { Self(level: tcp, name: TCP_KEEPCNT, text: "TCP_KEEPCNT") }
}
