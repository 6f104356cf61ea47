import CLibPQ
import CLinux
import Glibc
import Greenlets
import LocalPostgres
import ReactorCore
import ReactorTesting
import Synchronization
import Testing

/// Blocking calls where no shim can help: the monitor names them.
@Suite(.enabled(if: dlsym(nil, "__tsan_init") == nil)) struct BlockedLoopTests {
    private final class Seen: Sendable {
        private let reports = Synchronization.Mutex<[BlockReport]>([])
        func add(_ report: BlockReport) { reports.withLock { $0.append(report) } }
        func first(of operation: String) -> BlockReport? {
            reports.withLock { $0.first { $0.operation == operation && !$0.isOver } }
        }
    }

    /// The report of a block by `operation`: `call`, which takes about 200 ms, is made again and again in an `async` greenlet.
    private static func report(
        of operation: String, _ call: @escaping @Sendable () -> Void
    ) async throws -> BlockReport? {
        let seen = Seen()
        try await withReactor { reactor in
            reactor.monitor.onEvent = { if case .loopBlocked(let report) = $0 { seen.add(report) } }
            reactor.monitor.maxBlockingTime = .milliseconds(50)
            try await Greenlet.spawn(name: "caller") { () async throws -> Void in
                await Greenlet.yield()
                for _ in 0..<100 where seen.first(of: operation) == nil { call() }
            }.get()
        }
        return seen.first(of: operation)
    }

    enum Call: String, CaseIterable {
        case sleep, usleep, poll, select, read

        @inline(never) func make() {
            switch self {
            case .sleep: _ = Glibc.sleep(1)
            case .usleep: Glibc.usleep(200_000)
            case .poll: _ = Glibc.poll(nil, 0, 200)
            case .select:
                var limit = timeval(tv_sec: 0, tv_usec: 200_000)
                _ = Glibc.select(0, nil, nil, nil, &limit)
            case .read:
                let pipes = Pair.pipes()
                let writer = pipes.second
                let helper = PosixThread {
                    Glibc.usleep(200_000)
                    _ = write(writer, "x", 1)
                }
                var byte: UInt8 = 0
                _ = Glibc.read(pipes.first, &byte, 1)
                helper.join()
            }
        }
    }

    @Test(arguments: Call.allCases)
    func callInAnAsyncGreenletIsNamed(call: Call) async throws {  // S67
        let report = try await Self.report(of: call.rawValue) { call.make() }
        let found = try #require(report)
        #expect(found.greenlet?.name == "caller")
        #expect(found.description.contains("by \(call), run by greenlet \"caller\""))
    }

    @inline(never) private static func query(_ connection: OpaquePointer?) {
        PQclear(PQexec(connection, "select pg_sleep(0.2)"))
    }

    @Test func queryInAnAsyncGreenletIsNamed() async throws {  // S67
        let url = try LocalCluster.shared().url
        let report = try await Self.report(of: "PQexec") {
            let connection = PQconnectdb(url)
            Self.query(connection)
            PQfinish(connection)
        }
        let found = try #require(report)
        #expect(found.greenlet?.name == "caller")
        #expect(found.stack.contains { $0.function?.contains("BlockedLoopTests") == true }, "\(found)")
    }
}
