import CLinux
import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct CancelWaitTests {
    private struct Told: Error {}

    /// Two ends of a connection of this process.
    private func pair() -> (Int32, Int32) {
        var fds: [Int32] = [0, 0]
        precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &fds) == 0)
        return (fds[0], fds[1])
    }

    @Test func waiterGetsAClearErrorAndTheDescriptorIsFree() async throws {
        try await withReactor { reactor in
            let (one, other) = pair()
            defer { close(one); close(other) }
            let waiter = reactor.startTask { () async -> Result<Void, any Error> in
                do { return .success(try await reactor.waitUntilReadable(one)) } catch {
                    return .failure(error)
                }
            }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            #expect(reactor.cancelWait(on: one, .writable) == 0)
            #expect(reactor.cancelWait(on: one) == 1)
            #expect(reactor.cancelWait(on: one) == 0, "it has ended already")
            let result = await waiter.value
            let error = #expect(throws: ReactorError.self) { try result.get() }
            #expect(error?.code == .waitCancelled)
            #expect(error?.message.contains("descriptor \(one)") == true)
            #expect(reactor.watchedDescriptors.isEmpty)
            _ = write(other, "x", 1)
            try await reactor.waitUntilReadable(one)
        }
    }

    @Test func ownErrorReachesWhoWaitsForEitherDirection() async throws {
        try await withReactor { reactor in
            let (one, other) = pair()
            defer { close(one); close(other) }
            let room = [UInt8](repeating: 0, count: 1 << 16)
            while send(one, room, room.count, Int32(MSG_DONTWAIT)) > 0 {}
            let waiter = reactor.startTask { () async -> Result<ReadySet, any Error> in
                do { return .success(try await reactor.waitUntilReadableOrWritable(one)) } catch {
                    return .failure(error)
                }
            }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            #expect(reactor.cancelWait(on: one, throwing: Told()) == 1)
            let result = await waiter.value
            #expect(throws: Told.self) { try result.get() }
        }
    }

    @Test func callbacksAndWildNumbersAreLeftAlone() async throws {
        try await withReactor { reactor in
            let (one, other) = pair()
            defer { close(one); close(other) }
            var count = 0
            try reactor.addReader(one) {
                count += 1
                reactor.removeReader(one)
            }
            #expect(reactor.cancelWait(on: one) == 0)
            #expect(reactor.cancelWait(on: -1) == 0)
            #expect(reactor.cancelWait(on: 1 << 30) == 0)
            _ = write(other, "x", 1)
            while count == 0 { await reactor.yield() }
        }
    }
}
