import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@testable import BlockingShims

/// Descriptors that `async` code, callbacks and C code that they call close on the reactor's thread.
@Suite(.everyBackend) struct OffFiberCloseTests {
    /// The calls that close a number, some giving it to another file.
    enum Closing: CaseIterable {
        case close, dup2, dup3, closeRange, fclose, freopen

        /// Not called on a fiber.
        func callAsFunction(_ fd: Int32, replacement: Int32) {
            switch self {
            case .close: _ = Glibc.close(fd)
            case .dup2: _ = Glibc.dup2(replacement, fd)
            case .dup3: _ = symbol("dup3", as: Dup3.self)(replacement, fd, O_CLOEXEC)
            case .closeRange: _ = symbol("close_range", as: CloseRange.self)(UInt32(fd), UInt32(fd), 0)
            case .fclose: _ = Glibc.fclose(fdopen(fd, "r"))
            case .freopen:
                let stream = Glibc.freopen("/dev/null", "r", fdopen(fd, "r"))
                if let stream { Glibc.fclose(stream) }
            }
        }

        /// Whether the number is open afterwards.
        var replaces: Bool { self == .dup2 || self == .dup3 }
    }

    @Test(arguments: Closing.allCases)
    func taskAndGreenletsThatWaitGetEBADF(closing: Closing) async throws {
        try await withReactor { reactor in
            let (pair, other, next) = (Pair.sockets(), Pair.sockets(), Pair.sockets())
            let number = dup(pair.first)
            _ = write(next.second, "x", 1)
            let task = reactor.startTask { () async -> Int32? in
                do { try await reactor.waitUntilReadable(number) } catch {
                    return (error as? ReactorError)?.errno
                }
                return 0
            }
            try await reactor.sleep(for: .milliseconds(20))
            let reader = Greenlet.spawn { ReceiveTests.Call.read(number, 1).count < 0 ? errno : 0 }
            let poller = Greenlet.spawn { () -> Int16 in
                var fds = [other.first, number].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                return poll(&fds, 2, -1) == 1 ? fds[1].revents : 0
            }
            try await reactor.sleep(for: .milliseconds(20))
            closing(number, replacement: next.first)
            let codes = (await task.value, try await reader.get(), try await poller.get())
            #expect(codes == (EBADF, EBADF, Int16(POLLNVAL)))
            if closing.replaces { close(number) }
        }
    }

    @Test func callbackThatClosesAnothersDescriptorDropsItsCallback() async throws {
        try await withReactor { reactor in
            let (closer, closed) = (Pair.sockets(), Pair.sockets())
            _ = write(closer.second, "x", 1)
            try reactor.addReader(closed.first) { Issue.record("called after the close") }
            try reactor.addReader(closer.first) {
                reactor.removeReader(closer.first)
                closed.closeFirst()
            }
            while !reactor.readers.isEmpty { try await reactor.sleep(for: .milliseconds(1)) }
        }
    }

    @Test func rangeWakesThoseInItAlone() async throws {
        try await withReactor { reactor in
            // Numbers far from those that others in the process are given meanwhile.
            let most = min(Int32(clamping: sysconf(Int32(_SC_OPEN_MAX))), DescriptorSet.capacity)
            let pairs = (0..<3).map { _ in Pair.sockets() }
            let numbers = pairs.enumerated().map {
                fcntl($1.first, F_DUPFD_CLOEXEC, most - 300 + 70 * Int32($0))
            }
            let waiters = numbers.map { fd in
                Greenlet.spawn { () -> Int16 in
                    var entry = pollfd(fd: fd, events: Int16(POLLPRI), revents: 0)
                    return poll(&entry, 1, -1) == 1 ? entry.revents : -1
                }
            }
            try await reactor.sleep(for: .milliseconds(20))
            let range = symbol("close_range", as: CloseRange.self)
            #expect(range(UInt32(numbers[0]), UInt32(numbers[1]), 4 /* CLOSE_RANGE_CLOEXEC */) == 0)
            try await reactor.sleep(for: .milliseconds(5))
            #expect(waiters.allSatisfy { !$0.isReady })
            #expect(range(UInt32(numbers[0]), UInt32(numbers[1]), 0) == 0)
            for waiter in waiters.prefix(2) {
                let answer = try await waiter.get()
                #expect(answer == Int16(POLLNVAL))
            }
            #expect(!waiters[2].isReady)
            try await waiters[2].kill()
            close(numbers[2])
        }
    }

    @Test func reactorsOwnClosingIsHeardByNobody() async throws {
        try await withReactor { reactor in
            let pair = Pair.sockets()
            let waiter = Greenlet.spawn { ReceiveTests.Call.read(pair.first, 1).bytes }
            try await reactor.sleep(for: .milliseconds(20))
            for _ in 0..<20 { _ = Reactor() }  // descriptors of its own, closed on this thread
            let socket = try await Greenlet.spawn { () async throws -> Int32 in
                let fd = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                reactor.descriptorWillClose(fd)
                close(fd)
                return fd
            }.get()
            #expect(socket >= 0)
            _ = write(pair.second, "x", 1)
            let bytes = try await waiter.get()
            #expect(bytes == Array("x".utf8))
        }
    }
}

private typealias Dup3 = @convention(c) (Int32, Int32, Int32) -> Int32
private typealias CloseRange = @convention(c) (UInt32, UInt32, Int32) -> Int32
