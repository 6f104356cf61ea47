import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@testable import BlockingShims

/// The blocking APIs of C libraries that never heard of greenlets, loaded at run time: hiredis and libcurl, against small servers
/// that answer on the same thread.
@Suite struct ForeignLibraryTests {
    @Test func fiftyRedisClientsShareOneThread() async throws {
        let redis = try #require(
            Redis(), "libhiredis is not installed; Scripts/test installs what the tests need")
        try await withReactor { reactor in
            let server = TinyServer(delay: .milliseconds(200), answer: TinyServer.answerRedis)
            let ticker = Ticker(reactor)
            let thread = pthread_self()
            let start = reactor.now
            let clients = (0..<50).map { number in
                Greenlet.spawn { () throws -> String? in
                    let connection = redis.connect(server.port)
                    defer { redis.free(connection) }
                    #expect(pthread_equal(pthread_self(), thread) != 0)
                    #expect(redis.call(connection, "SET key-\(number)") == "OK")
                    return redis.call(connection, "ECHO value-\(number)")
                }
            }
            for (number, client) in clients.enumerated() {
                let value = try await client.get()
                #expect(value == "value-\(number)")
            }
            let elapsed = start.duration(to: reactor.now)
            #expect(elapsed >= .milliseconds(400))
            #expect(elapsed < .seconds(10), "one after the other would be 20 s")
            let ticks = try await ticker.stop()
            #expect(ticks >= 4, "40 are possible on an idle machine; a blocked loop leaves none")
            #expect(reactor.threadPool.threadCount == 0, "nothing was handed to another thread")
            try await server.stop()
        }
    }

    @Test func killedRedisClientReportsAnErrorAndIsFreed() async throws {
        let redis = try #require(
            Redis(), "libhiredis is not installed; Scripts/test installs what the tests need")
        try await withReactor { reactor in
            let server = TinyServer(delay: .seconds(60), answer: TinyServer.answerRedis)
            var reply: String? = "none yet"
            let client = Greenlet.spawn {
                let connection = redis.connect(server.port)
                defer { redis.free(connection) }
                reply = redis.call(connection, "PING")
                try Greenlet.yield()
            }
            try await reactor.sleep(for: .milliseconds(50))
            try await client.kill()
            #expect(reply == nil)
            await #expect(throws: GreenletExit.self) { try await client.get() }
            try await server.stop()
        }
    }

    @Test func twentyTransfersOfLibcurlShareOneThread() async throws {
        let curl = try #require(Curl(), "libcurl is not installed; Scripts/test installs what the tests need")
        try await withReactor { reactor in
            let server = TinyServer(delay: .milliseconds(500), answer: TinyServer.answerHTTP)
            let ticker = Ticker(reactor)
            let start = reactor.now
            let transfers = (0..<20).map { number in
                // libcurl and what it loads want more stack than Swift's own code does; the default has room for both.
                Greenlet.spawn { curl.get("http://127.0.0.1:\(server.port)/page-\(number)") }
            }
            for (number, transfer) in transfers.enumerated() {
                let (code, body) = try await transfer.get()
                #expect(code == 0)
                #expect(body == "you asked for /page-\(number)")
            }
            let elapsed = start.duration(to: reactor.now)
            #expect(elapsed < .seconds(8), "one after the other would be 10 s")
            let ticks = try await ticker.stop()
            #expect(ticks >= 2, "50 are possible on an idle machine; a blocked loop leaves none")
            try await server.stop()
        }
    }
}

/// Counts 10 ms steps while the loop is free.
@ReactorActor private final class Ticker {
    private var ticks = 0
    private var greenlet: Greenlet<Void>?

    init(_ reactor: Reactor) {
        greenlet = Greenlet.spawn { [weak self] () async throws in
            while true {
                try await reactor.sleep(for: .milliseconds(10))
                self?.ticks += 1
            }
        }
    }

    func stop() async throws -> Int {
        try await greenlet?.kill()
        return ticks
    }
}

/// A server of greenlets with blocking calls, one for each connection: reads a request up to an empty line or a line's end, waits,
/// answers.
@ReactorActor private final class TinyServer {
    /// Takes one whole request from the front of what was read; nil while it is not whole.
    typealias Answer = (inout [UInt8]) -> String?

    private let listener = LoopbackListener(backlog: 128)
    private var greenlets: [Greenlet<Void>] = []
    let port: UInt16

    init(delay: Duration, answer: @escaping Answer) {
        port = UInt16(bigEndian: listener.address.sin_port)
        let fd = listener.fd
        greenlets.append(
            Greenlet.spawn {
                while true {
                    let connection = accept(fd, nil, nil)
                    guard connection >= 0 else { return }
                    self.greenlets.append(Greenlet.spawn { Self.serve(connection, delay, answer) })
                }
            })
    }

    func stop() async throws {
        for greenlet in greenlets { try await greenlet.kill() }
        listener.stop()
    }

    private static func serve(_ fd: Int32, _ delay: Duration, _ answer: Answer) {
        defer { close(fd) }
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            while let text = answer(&pending) {
                guard usleep(UInt32(delay / .microseconds(1))) == 0 else { return }
                let bytes = Array(text.utf8)
                guard write(fd, bytes, bytes.count) == bytes.count else { return }
            }
            let count = read(fd, &chunk, chunk.count)
            guard count > 0 else { return }
            pending += chunk[..<count]
        }
    }

    /// RESP: an array of bulk strings. SET is answered with OK, ECHO with its argument.
    nonisolated static func answerRedis(_ pending: inout [UInt8]) -> String? {
        let lines = String(decoding: pending, as: UTF8.self).components(separatedBy: "\r\n")
        guard lines.count > 1, let count = Int(lines[0].dropFirst()), lines.count > 2 * count + 1 else {
            return nil
        }
        let words = (0..<count).map { lines[2 * $0 + 2] }
        let used = lines[...(2 * count)].reduce(0) { $0 + $1.utf8.count + 2 }
        pending.removeFirst(used)
        return words[0] == "ECHO" ? "$\(words[1].utf8.count)\r\n\(words[1])\r\n" : "+OK\r\n"
    }

    /// HTTP/1.0: the path comes back as the body.
    nonisolated static func answerHTTP(_ pending: inout [UInt8]) -> String? {
        let text = String(decoding: pending, as: UTF8.self)
        guard text.hasSuffix("\r\n\r\n") else { return nil }
        pending = []
        let path = text.split(separator: " ")[1]
        let body = "you asked for \(path)"
        return "HTTP/1.0 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    }
}

extension String {
    /// The parts between `separator`s, empty ones included.
    fileprivate func components(separatedBy separator: String) -> [String] {
        var (parts, part) = ([String](), "")
        var rest = Substring(self)
        while !rest.isEmpty {
            if rest.unicodeScalars.starts(with: separator.unicodeScalars) {
                parts.append(part)
                part = ""
                rest.unicodeScalars.removeFirst(separator.unicodeScalars.count)
            } else {
                part.unicodeScalars.append(rest.unicodeScalars.removeFirst())
            }
        }
        return parts + [part]
    }
}
