import Greenlets
import NIOCore
import ReactorCore
import ReactorTesting
import TestNetworks
import Testing
import Transports

@Suite(.timeLimit(.minutes(10))) struct StreamServerTests {
    @Test func asyncHandlerAnswersLines() async throws {
        try await withNetwork { reactor in
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                for try await line in connection.lines { try await connection.write("You said \(line)\r\n") }
            }
            let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
            try await client.write("one\r\n\r\nthree\n")
            var answers: [String?] = []
            for _ in 0..<3 { answers.append(try await client.readLine()) }
            #expect(answers == ["You said one", "You said ", "You said three"])
            client.finishWriting()
            #expect(try await client.readLine() == nil)
            client.close()
            #expect(await server.stop(gracePeriod: .seconds(5)) == 0)
        }
    }

    @Test func synchronousHandlerRunsOnItsOwnStack() async throws {
        try await withNetwork { reactor in
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                while let line = try connection.readLine() {
                    try Greenlet.sleep(for: .milliseconds(1))
                    try connection.write("You said \(line)\r\n")
                }
            }
            let port = server.port
            let client = Greenlet.spawn { () throws -> String? in
                let connection: StreamConnection = try reactor.connectTCP("127.0.0.1", port: port)
                defer { connection.close() }
                try connection.write("hello\r\n")
                return try connection.readLine()
            }
            #expect(try await client.get() == "You said hello")
            #expect(await server.stop(gracePeriod: .seconds(5)) == 0)
        }
    }

    @Test func handlerThatReturnsOrThrowsClosesItsConnection() async throws {
        try await withNetwork { reactor in
            struct Failed: Error {}
            var uncaught: [String] = []
            reactor.onUncaughtError = { error, context in uncaught.append("\(error) \(context)") }
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                let line = try await connection.readLine()
                try await connection.write("\(line ?? "")!\r\n")
                if line == "throw" { throw Failed() }
            }
            for word in ["return", "throw"] {
                let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
                try await client.write("\(word)\r\n")
                #expect(try await client.readLine() == "\(word)!")
                #expect(try await client.readLine() == nil)
                client.close()
            }
            try await eventually { server.connections.isEmpty }
            server.stopListening()
            #expect(uncaught.count == 1)
            #expect(
                uncaught.first?.hasPrefix("Failed() the handler of the connection from 127.0.0.1:") == true)
        }
    }

    @Test func aSlowReaderHoldsItsWriterAndNothingPilesUp() async throws {
        try await withNetwork { reactor in
            var sent = 0
            var most = 0
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                let chunk = ByteBuffer(repeating: 1, count: 10_000)
                for _ in 0..<2000 {
                    try await connection.write(chunk)
                    sent += 10_000
                    most = max(most, connection.transport.unsentByteCount)
                }
            }
            let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
            try await reactor.sleep(for: .milliseconds(100))
            let early = sent
            #expect(early < 20_000_000)  // what both kernels' buffers and our marks hold

            var received = 0
            while let bytes = try await client.read() { received += bytes.readableBytes }
            #expect(received == 20_000_000)
            #expect(most <= 65_536 + 10_000)
            client.close()
            server.stopListening()
            try await eventually { server.connections.isEmpty }
        }
    }

    @Test func readTakesAtMostWhatIsAskedAndLinesGoOnBehindIt() async throws {
        try await withNetwork { reactor in
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                let header = try await connection.readLine()
                let body = try await connection.read(upTo: 3)
                let rest = try await connection.readLine()
                let tail = try await connection.read()
                let text = [body, tail].map {
                    $0.map { String(decoding: $0.readableBytesView, as: UTF8.self) } ?? ""
                }
                try await connection.write("\(header ?? "")|\(text[0])|\(rest ?? "")|\(text[1])")
            }
            let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
            try await client.write("header\r\nabcdef\nunfinished")
            client.finishWriting()
            var answer = ""
            while let bytes = try await client.read() {
                answer += String(decoding: bytes.readableBytesView, as: UTF8.self)
            }
            #expect(answer == "header|abc|def|unfinished")
            client.close()
            #expect(await server.stop(gracePeriod: .seconds(5)) == 0)
        }
    }

    @Test func badLinesAreErrorsThatLeaveTheStreamUsable() async throws {
        try await withNetwork { reactor in
            let server = try reactor.serveTCP("127.0.0.1", port: 0, maxLineLength: 10) { connection in
                while true {
                    do {
                        guard let line = try await connection.readLine() else { return }
                        try await connection.write("ok \(line)\r\n")
                    } catch let error as TransportError
                        where [.invalidUTF8, .lineTooLong].contains(error.code)
                    {
                        try await connection.write("error \(error.code)\r\n")
                    }
                }
            }
            let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
            try await client.write(ByteBuffer(bytes: [0x61, 0xff, 0x0a]))
            try await client.write("b\n0123456789x\nc\n")
            var answers: [String] = []
            for _ in 0..<4 { answers.append(try await client.readLine() ?? "end") }
            #expect(answers == ["error invalidUTF8", "ok b", "error lineTooLong", "ok c"])
            client.close()
            #expect(await server.stop(gracePeriod: .seconds(5)) == 0)
        }
    }

    @Test func cancelledReadTakesNothing() async throws {
        try await withNetwork { reactor in
            var isKilled = false
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                let first = Greenlet.spawn { () async throws -> String? in try await connection.readLine() }
                try await reactor.sleep(for: .milliseconds(5))
                try await first.kill()
                isKilled = true
                let line = try await connection.readLine()
                try await connection.write("got \(line ?? "nothing")\r\n")
            }
            let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
            try await eventually { isKilled }
            try await client.write("line\r\n")
            #expect(try await client.readLine() == "got line")
            client.close()
            #expect(await server.stop(gracePeriod: .seconds(5)) == 0)
        }
    }

    @Test func twoReadersAtOnceAreAnError() async throws {
        try await withNetwork { reactor in
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                _ = try await connection.readLine()
            }
            let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
            let first = Greenlet.spawn { () async throws -> String? in try await client.readLine() }
            await reactor.yield()
            await #expect { try await client.readLine() } throws: {
                ($0 as? TransportError)?.code == .concurrentRead
            }
            client.finishWriting()
            #expect(try await first.get() == nil)
            client.close()
            #expect(await server.stop(gracePeriod: .seconds(5)) == 0)
        }
    }

    @Test func writeAfterCloseAndReadAfterAbortThrow() async throws {
        try await withNetwork { reactor in
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                _ = try? await connection.readLine()
            }
            let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
            client.close()
            await #expect { try await client.write("x") } throws: { ($0 as? TransportError)?.code == .closed }
            let other = try await reactor.connectTCP("127.0.0.1", port: server.port)
            other.abort()
            await #expect { try await other.read() } throws: {
                ($0 as? TransportError)?.code == .connectionAborted
            }
            #expect(await server.stop(gracePeriod: .seconds(5)) == 0)
        }
    }

    @Test func atItsLimitTheServerLeavesOthersInTheQueue() async throws {
        try await withNetwork { reactor in
            var running = 0
            var most = 0
            let server = try reactor.serveTCP("127.0.0.1", port: 0, limit: 2) { connection in
                running += 1
                most = max(most, running)
                defer { running -= 1 }
                _ = try await connection.readLine()
                try await connection.write("done\r\n")
            }
            let port = server.port
            let clients = (0..<10).map { _ in
                Greenlet.spawn { () async throws -> String? in
                    let client = try await reactor.connectTCP("127.0.0.1", port: port)
                    try await client.write("go\r\n")
                    let line = try await client.readLine()
                    client.close()
                    return line
                }
            }
            for client in clients { #expect(try await client.get() == "done") }
            #expect(most == 2)
            #expect(await server.stop(gracePeriod: .seconds(5)) == 0)
        }
    }

    @Test func stopLetsIdleHandlersGoAndAnswersWhatIsHere() async throws {
        try await withNetwork { reactor in
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { connection in
                for try await line in connection.lines {
                    try await reactor.sleep(for: .milliseconds(30))
                    try await connection.write("\(line)\r\n")
                }
            }
            let idle = try await reactor.connectTCP("127.0.0.1", port: server.port)
            let busy = try await reactor.connectTCP("127.0.0.1", port: server.port)
            try await busy.write("one\r\ntwo\r\n")
            try await eventually { server.connections.count == 2 }
            try await reactor.sleep(for: .milliseconds(10))

            let start = reactor.now
            #expect(await server.stop(gracePeriod: .seconds(30)) == 0)
            #expect(start.duration(to: reactor.now) < .seconds(10))
            #expect(try await busy.readLine() == "one")
            #expect(try await busy.readLine() == "two")
            #expect(try await busy.readLine() == nil)
            #expect(try await idle.readLine() == nil)
            idle.close()
            busy.close()
        }
    }

    @Test func stopKillsWhoeverOutlastsTheGracePeriod() async throws {
        try await withNetwork { reactor in
            var ends: [String] = []
            let server = try reactor.serveTCP("127.0.0.1", port: 0) { _ in
                do { try await reactor.sleep(for: .seconds(600)) } catch { ends.append("\(type(of: error))") }
            }
            let client = try await reactor.connectTCP("127.0.0.1", port: server.port)
            try await eventually { !server.connections.isEmpty }
            try await reactor.sleep(for: .milliseconds(5))
            #expect(await server.stop(gracePeriod: .milliseconds(20)) == 1)
            #expect(ends == ["CancellationError"])
            await #expect(throws: TransportError.self) { _ = try await client.read() }
            #expect(server.connections.isEmpty)
        }
    }
}
