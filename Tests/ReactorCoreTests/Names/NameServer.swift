import CLinux
import Glibc

@testable import ReactorCore

/// A name server of the test's own on loopback, by UDP and TCP, that answers what it is told to.
@ReactorActor
final class NameServer {
    enum Reply {
        /// The message.
        case message(DNSMessage)
        /// These bytes.
        case bytes([UInt8])
        /// One after the other.
        case several([Reply])
        /// None.
        case silence
        /// By TCP: the end of the connection.
        case hangUp
    }

    typealias Script = @ReactorActor (_ query: DNSMessage, _ isTCP: Bool) -> Reply

    let address: ResolvedAddress
    private(set) var questions: [String] = []
    private(set) var tcpCount = 0
    private(set) var ports: [Int] = []
    private let datagrams: Int32
    private let listener: Int32
    private var connections: [Int32: [UInt8]] = [:]
    private let script: Script
    private let reactor = Reactor.current

    init(host: String = "127.0.0.1", _ script: @escaping Script) throws {
        self.script = script
        (datagrams, listener, address) = Self.bind(host)
        try reactor.addReader(datagrams) { [unowned self] in receiveDatagrams() }
        try reactor.addReader(listener) { [unowned self] in try accept() }
    }

    /// A port for datagrams and for connections.
    private static func bind(_ host: String) -> (datagrams: Int32, listener: Int32, ResolvedAddress) {
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let free = ResolvedAddress(numeric: host, port: 0)!
        // Another program may have the number of one kind of port: take the next then.
        while true {
            let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | flags, 0)
            precondition(free.withSockAddr { Glibc.bind(datagrams, $0, $1) } == 0)
            let bound = name(datagrams)
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | flags, 0)
            if bound.withSockAddr({ Glibc.bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0 {
                return (datagrams, listener, bound)
            }
            close(listener)
            close(datagrams)
        }
    }

    /// Answers no more.
    func stop() {
        for fd in [datagrams, listener] + connections.keys {
            reactor.descriptorWillClose(fd)
            close(fd)
        }
        connections = [:]
    }

    private static func name(_ fd: Int32) -> ResolvedAddress {
        fill { getsockname(fd, $0, $1) }.1!
    }

    private static func fill(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> (Int32, ResolvedAddress?) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { raw in
            let result = call(raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
            return (result, ResolvedAddress(sockaddr: UnsafeRawBufferPointer(raw)))
        }
    }

    private func reply(to bytes: [UInt8], isTCP: Bool) -> Reply {
        guard let query = try? DNSReader.message(bytes), let question = query.questions.first else {
            return .silence
        }
        let type = question.type == DNSType.a ? "A" : question.type == DNSType.aaaa ? "AAAA" : "?"
        questions.append("\(question.name) \(type)")
        return script(query, isTCP)
    }

    private func receiveDatagrams() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var count = 0
            let (_, sender) = Self.fill { address, length in
                count = recvfrom(datagrams, &buffer, buffer.count, 0, address, length)
                return count < 0 ? -1 : 0
            }
            guard count >= 0, let sender else { return }
            ports.append(sender.port)
            send(reply(to: Array(buffer[..<count]), isTCP: false), to: sender)
        }
    }

    private func send(_ reply: Reply, to client: ResolvedAddress) {
        switch reply {
        case .message(let message): send(.bytes(message.encoded()), to: client)
        case .bytes(let bytes):
            _ = client.withSockAddr { sendto(datagrams, bytes, bytes.count, 0, $0, $1) }
        case .several(let replies): for reply in replies { send(reply, to: client) }
        case .silence, .hangUp: return
        }
    }

    private func accept() throws {
        let fd = clinux_accept(listener, nil, nil)
        guard fd >= 0 else { return }
        tcpCount += 1
        connections[fd] = []
        try reactor.addReader(fd) { [unowned self] in receive(fd) }
    }

    private func receive(_ fd: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(fd, &buffer, buffer.count, 0)
        guard count > 0, var bytes = connections[fd] else { return hangUp(fd) }
        bytes += buffer[..<count]
        connections[fd] = bytes
        guard bytes.count >= 2, bytes.count >= 2 + Int(bytes[0]) << 8 + Int(bytes[1]) else { return }
        send(reply(to: Array(bytes[2...]), isTCP: true), by: fd)
    }

    private func send(_ reply: Reply, by fd: Int32) {
        switch reply {
        case .message(let message): send(.bytes(message.encoded()), by: fd)
        case .bytes(let bytes):
            let framed = [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
            // In two pieces: an answer need not come in one.
            let start = min(3, framed.count)
            _ = Glibc.send(fd, framed, start, Int32(MSG_NOSIGNAL))
            _ = framed[start...].withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
        case .several(let replies): for reply in replies { send(reply, by: fd) }
        case .silence: return
        case .hangUp: hangUp(fd)
        }
    }

    private func hangUp(_ fd: Int32) {
        guard connections.removeValue(forKey: fd) != nil else { return }
        reactor.descriptorWillClose(fd)
        close(fd)
    }
}

extension DNSMessage {
    /// An answer to this query.
    func answer(
        _ data: [DNSRecord.Data] = [], ttl: UInt32 = 60, code: DNSResponseCode = .noError,
        negativeTTL: UInt32? = nil
    ) -> DNSMessage {
        let name = questions[0].name
        var answer = DNSMessage(id: id)
        answer.isResponse = true
        answer.recursionAvailable = true
        answer.code = code
        answer.questions = questions
        answer.answers = data.map { DNSRecord(name: name, ttl: ttl, data: $0) }
        if let negativeTTL {
            answer.authorities = [
                DNSRecord(name: DNSName("example")!, ttl: negativeTTL, data: .soa(minimum: negativeTTL))
            ]
        }
        return answer
    }

    /// The address of the question's type from `v4` or `v6`, or that there is none.
    func answer(v4: [UInt8]?, v6: [UInt8]? = nil, ttl: UInt32 = 60) -> DNSMessage {
        switch questions[0].type {
        case DNSType.a: answer(v4.map { [.a($0)] } ?? [], ttl: ttl, negativeTTL: 60)
        default: answer(v6.map { [.aaaa($0)] } ?? [], ttl: ttl, negativeTTL: 60)
        }
    }
}
