import CLinux
import Glibc

/// A server that gave no answer: not the end of a look-up, there are others.
struct DNSServerError: Error { let reason: String }

/// One question to one server: by a datagram, and by TCP when the answer is too long for one.
///
/// Each question has a socket of its own, whose port the kernel picks at random, and an id: whoever would forge an answer must
/// guess both. The socket is connected, so that nobody else's datagrams reach it and a server that is not there is noticed.
@ReactorActor
struct DNSExchange {
    let reactor: Reactor
    let server: ResolvedAddress
    let configuration: NameServerConfiguration

    /// The answer.
    ///
    /// - Throws: `DNSServerError` when there is none in time, `CancellationError`. No socket stays open.
    func ask(_ question: DNSQuestion) async throws -> DNSMessage {
        var random = SystemRandomNumberGenerator()
        var asked = question
        if configuration.randomizesCase { asked.name = asked.name.withRandomCase(using: &random) }
        var query = DNSMessage(id: UInt16.random(in: .min ... .max, using: &random))
        query.questions = [asked]
        if configuration.usesEDNS0 { query.additionals = [.extendedDatagrams] }
        let answer = configuration.usesTCPOnly ? nil : try await askByDatagram(query)
        if let answer, !answer.isTruncated { return answer }
        return try await askByTCP(query)
    }

    private func askByDatagram(_ query: DNSMessage) async throws -> DNSMessage {
        try await withSocket(SOCK_DGRAM) { fd, deadline in
            let result = server.withSockAddr { connect(fd, $0, $1) }
            guard result == 0 else { throw failure("cannot be reached", errno) }
            let bytes = query.encoded()
            guard send(fd, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
                throw failure("cannot be reached", errno)
            }
            while true {
                // Before each read: a flood of wrong answers must not hold the loop.
                try await wait(.readable, fd, deadline)
                guard let datagram = try receive(fd, atMost: 65_535) else { continue }
                guard let message = try? DNSReader.message(datagram), isAnswer(message, to: query) else {
                    continue  // a forgery, or an answer to somebody who had the port before
                }
                return message
            }
        }
    }

    private func askByTCP(_ query: DNSMessage) async throws -> DNSMessage {
        try await withSocket(SOCK_STREAM) { fd, deadline in
            if server.withSockAddr({ connect(fd, $0, $1) }) != 0 {
                guard errno == EINPROGRESS || errno == EINTR else { throw failure("refuses TCP", errno) }
                try await wait(.writable, fd, deadline)
                var code: Int32 = 0
                var length = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length)
                guard code == 0 else { throw failure("refuses TCP", code) }
            }
            let bytes = query.encoded()
            var rest = ([UInt8(bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)] + bytes)[...]
            while !rest.isEmpty {
                try await wait(.writable, fd, deadline)
                let count = rest.withUnsafeBytes { send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard count >= 0 || errno == EAGAIN || errno == EINTR else {
                    throw failure("ended the connection", errno)
                }
                rest = rest.dropFirst(max(0, count))
            }
            let head = try await receive(fd, exactly: 2, deadline)
            let answer = try await receive(fd, exactly: Int(head[0]) << 8 | Int(head[1]), deadline)
            let message: DNSMessage
            do throws(DNSFormatError) { message = try DNSReader.message(answer) } catch {
                throw DNSServerError(reason: "sent what is no answer: \(error.reason)")
            }
            guard isAnswer(message, to: query) else {
                throw DNSServerError(reason: "answered another question")
            }
            return message
        }
    }

    /// Whether it is an answer, and to this question. Letters may come back in another case, unless it was drawn.
    private func isAnswer(_ message: DNSMessage, to query: DNSMessage) -> Bool {
        guard message.isResponse, message.id == query.id else { return false }
        // A server that did not understand the question need not repeat it.
        if message.questions.isEmpty {
            return message.code == .formatError || message.code == .notImplemented
        }
        return message.questions == query.questions
            && (!configuration.randomizesCase
                || message.questions.map(\.name.labels) == query.questions.map(\.name.labels))
    }

    private func withSocket<Value>(
        _ kind: __socket_type, _ body: @ReactorActor (Int32, ReactorInstant) async throws -> Value
    ) async throws -> Value {
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let fd = socket(server.family, Int32(kind.rawValue) | flags, 0)
        guard fd >= 0 else { throw failure("could not be asked", errno) }
        defer {
            reactor.descriptorWillClose(fd)
            close(fd)
        }
        return try await body(fd, reactor.now.advanced(by: configuration.timeout))
    }

    private func wait(_ interest: ReadySet, _ fd: Int32, _ deadline: ReactorInstant) async throws {
        do {
            let left = max(.zero, reactor.now.duration(to: deadline))
            _ = try await reactor.wait(for: interest, of: fd, timeout: left)
        } catch let error as ReactorError where error.isTimeout {
            throw DNSServerError(reason: "did not answer within \(configuration.timeout)")
        }
    }

    /// What there is; nil when there is nothing after all.
    private func receive(_ fd: Int32, atMost limit: Int) throws -> [UInt8]? {
        try withUnsafeTemporaryAllocation(byteCount: limit, alignment: 1) { buffer in
            let count = recv(fd, buffer.baseAddress, limit, 0)
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { return nil }
                throw failure("cannot be reached", errno)
            }
            return Array(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    private func receive(_ fd: Int32, exactly count: Int, _ deadline: ReactorInstant) async throws -> [UInt8]
    {
        var bytes: [UInt8] = []
        while bytes.count < count {
            try await wait(.readable, fd, deadline)
            guard let more = try receive(fd, atMost: count - bytes.count) else { continue }
            guard !more.isEmpty else {
                throw DNSServerError(reason: "ended the connection in the middle of an answer")
            }
            bytes += more
        }
        return bytes
    }

    private func failure(_ what: String, _ code: Int32) -> DNSServerError {
        DNSServerError(reason: "\(what): \(errnoText(code))")
    }
}
