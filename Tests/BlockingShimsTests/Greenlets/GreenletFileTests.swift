import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@testable import BlockingShims

/// Operations on files in greenlets, with the reactor's thread pool and with the engine that the kernel allows.
@Suite struct GreenletFileTests {
    @Test func killedGreenletGetsTheResultFirst() async throws {
        try await withReactor { reactor in
            try reactor.useFileEngine(.threads)
            try reactor.suggestThreadPoolSize(1)
            let gate = Pair.pipes()
            let end = gate.first
            try reactor.callInThread {
                var byte: UInt8 = 0
                _ = read(end, &byte, 1)
            }
            let file = TemporaryFile()
            var codes: [Int32] = []
            let greenlet = Greenlet.spawn {
                codes.append(fsync(file.fd))  // behind the gate
                codes.append(fsync(file.fd))  // and begun after the kill
                codes.append(usleep(1) == 0 ? 0 : errno)
                try Greenlet.yield()
            }
            try await reactor.sleep(for: .milliseconds(20))
            let killer = Greenlet.spawn { () async throws in try await greenlet.kill() }
            try await reactor.sleep(for: .milliseconds(20))
            #expect(codes.isEmpty && !greenlet.isReady)
            _ = write(gate.second, "x", 1)
            try await killer.join()
            #expect(codes == [0, 0, ECANCELED])
            await #expect(throws: GreenletExit.self) { try await greenlet.get() }
        }
    }

    @Test(arguments: [Reactor.FileEngine.threads, .automatic])
    func manyGreenletsReadAndWriteTheirFiles(_ engine: Reactor.FileEngine) async throws {
        try await withReactor { reactor in
            try reactor.useFileEngine(engine)
            let greenlets = (0..<20).map { number in
                Greenlet.spawn { () -> Bool in
                    let file = TemporaryFile()
                    let content = [UInt8](repeating: UInt8(number), count: 50_000)
                    guard write(file.fd, content, content.count) == content.count else { return false }
                    _ = file.evict()
                    let second = open(file.path, O_RDONLY)
                    defer { close(second) }
                    return ReceiveTests.Call.read(second, 60_000).bytes == content
                }
            }
            for greenlet in greenlets {
                let isSame = try await greenlet.get()
                #expect(isSame)
            }
        }
    }
}
