import Glibc
import NIOCore
import ReactorCore
import ReactorTesting
import TestNetworks
import Testing
import Transports

@Suite(.serialized, .timeLimit(.minutes(10))) struct ConnectTests {
    /// A port of 127.0.0.78 on which nobody listens; no other test uses that address.
    @ReactorActor private func deadPort(_ reactor: Reactor) throws -> Int {
        let port = try reactor.listenTCP("127.0.0.78", port: 0) { nil }
        port.stopListening()
        return port.port
    }

    @Test func refusedConnectionNamesAddressAndCause() async throws {
        try await withNetwork { reactor in
            let dead = try deadPort(reactor)
            let error = await #expect(throws: TransportError.self) {
                _ = try await reactor.connectTCP("127.0.0.78", port: dead)
            }
            #expect(error?.code == .connectFailed)
            #expect(error?.errno == ECONNREFUSED)
            #expect(error?.message == "cannot connect to 127.0.0.78:\(dead): Connection refused (errno 111)")
        }
    }

    @Test func nameIsLookedUpAndItsAddressesTriedInOrder() async throws {
        try await withNetwork { reactor in
            let port = try reactor.listenTCP("127.0.0.1", port: 0) { Greeter() }
            // May give ::1 first, where nobody listens.
            let client = try await reactor.connectTCP("localhost", port: port.port) { Recorder() }
            client.transport?.write("x\r\n")
            try await eventually { client.text == "Hello, x\r\n" }
            client.transport?.loseConnection()
            port.stopListening()
            try await eventually { client.end != nil && port.connections.isEmpty }
        }
    }

    @Test func unknownNameIsAnErrorOfTheResolver() async throws {
        try await withNetwork { reactor in
            // No label of a name has more than 63 bytes, so no name server is asked.
            let name = String(repeating: "x", count: 64) + ".invalid"
            let error = await #expect(throws: ReactorError.self) {
                _ = try await reactor.connectTCP(name, port: 80)
            }
            #expect(error?.code == .nameNotFound)
            #expect(error?.message.contains(name) == true)
        }
    }

    @Test func silentAddressTimesOutAndLeavesNoSocket() async throws {
        try await withNetwork { reactor in
            let silent = try SilentAddress()
            let before = unansweredSocketCount(at: silent.port)
            let error = await #expect(throws: TransportError.self) {
                _ = try await reactor.connectTCP("127.0.0.1", port: silent.port, timeout: .milliseconds(50))
            }
            #expect(error?.code == .connectTimedOut)
            #expect(error?.isTimeout == true)
            // A child that another test is just starting has every descriptor, until it runs its program. Fewer than before are
            // left when the queue took one of those that fill it late.
            try await eventually { unansweredSocketCount(at: silent.port) <= before }
            silent.close()
        }
    }

    @Test func cancellationLeavesNoSocket() async throws {
        try await withNetwork { reactor in
            let silent = try SilentAddress()
            let before = unansweredSocketCount(at: silent.port)
            let number = silent.port
            let task = Task { @ReactorActor in
                _ = try await reactor.connectTCP("127.0.0.1", port: number, timeout: .seconds(600))
            }
            for _ in 0..<5 { await reactor.yield() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            // A child that another test is just starting has every descriptor, until it runs its program. Fewer than before are
            // left when the queue took one of those that fill it late.
            try await eventually { unansweredSocketCount(at: silent.port) <= before }
            silent.close()
        }
    }
}

/// Sockets that wait for this port of 127.0.0.1 to answer their SYN. Asked of the kernel: other suites have sockets that wait,
/// too, at other ports.
private func unansweredSocketCount(at port: Int) -> Int {
    guard let file = fopen("/proc/net/tcp", "r") else { preconditionFailure("no /proc/net/tcp: \(errno)") }
    defer { fclose(file) }
    var count = 0
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, Int32(line.count), file) != nil {
        // sl, local address, remote address, state (02: SYN sent), …; addresses in hexadecimal.
        let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ")
        guard fields.count > 3, fields[3] == "02" else { continue }
        if Int(fields[2].suffix(4), radix: 16) == port { count += 1 }
    }
    return count
}

/// A listening socket whose queue is full: the kernel drops further SYNs, so connecting to it gets no answer.
private struct SilentAddress {
    let port: Int
    private let fds: [Int32]

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var fds = [listener]
        withUnsafeMutableBytes(of: &address) { raw in
            let pointer = raw.baseAddress!.assumingMemoryBound(to: sockaddr.self)  // C's own cast
            bind(listener, pointer, length)
            listen(listener, 0)
            getsockname(listener, pointer, &length)
            // A queue of length 0 holds one connection; the others keep it full.
            for _ in 0..<3 {
                let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
                _ = Glibc.connect(fd, pointer, length)
                fds.append(fd)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        self.fds = fds
    }

    func close() { for fd in fds { Glibc.close(fd) } }
}
