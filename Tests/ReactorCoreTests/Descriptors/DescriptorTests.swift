import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct DescriptorTests {
    @Test func readerWakesWhenBytesArrive() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            reactor.callLater(.milliseconds(1)) { pair.send() }
            try await reactor.waitUntilReadable(pair.a)
        }
    }

    @Test func waitEndsWithItsTimeoutAndLeavesNothing() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilReadable(pair.a, timeout: .milliseconds(2))
            }
            #expect(error?.code == .timedOut)
            #expect(reactor.watchedDescriptors.isEmpty)
            // The descriptor is free for the next wait.
            pair.send()
            try await reactor.waitUntilReadable(pair.a)
        }
    }

    @Test func cancellationEndsTheWait() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            let task = Task { @ReactorActor in try await reactor.waitUntilReadable(pair.a) }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test func secondWaiterOfOneDirectionGetsAClearError() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            let first = Task { @ReactorActor in try await reactor.waitUntilReadable(pair.a) }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            let error = await #expect(throws: ReactorError.self) {
                try await reactor.waitUntilReadable(pair.a)
            }
            #expect(error?.code == .descriptorBusy)
            try await reactor.waitUntilWritable(pair.a)  // the other direction is free
            pair.send()
            try await first.value
        }
    }

    @Test func closingWakesTheWaiterAndTheNextOwnerIsNeverDisturbed() async throws {  // S66b
        try await withReactor { reactor in
            let old = SocketPair()
            let waiter = Task { @ReactorActor in try await reactor.waitUntilReadable(old.a) }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            let number = old.a
            let duplicate = dup(number)  // keeps the file, and so its registration, alive
            defer { close(duplicate) }
            reactor.descriptorWillClose(number)
            let fresh = SocketPair()
            #expect(dup2(fresh.a, number) == number)  // the number now means another file
            let next = Task { @ReactorActor in try await reactor.waitUntilReadable(number) }
            old.send()
            let error = await #expect(throws: ReactorError.self) { try await waiter.value }
            #expect(error?.code == .descriptorClosed)
            try await reactor.sleep(for: .milliseconds(5))
            #expect(reactor.watchedDescriptors == [number], "the old file's event did not wake the new owner")
            fresh.send()
            try await next.value
        }
    }

    @Test func numberReopenedBehindOurBackIsFollowed() async throws {
        try await withReactor { reactor in
            let old = SocketPair()
            old.send()
            try await reactor.waitUntilReadable(old.a)
            let fresh = SocketPair()
            #expect(dup2(fresh.a, old.a) == old.a)  // as PQconnectPoll does between two hosts
            reactor.callLater(.milliseconds(1)) { fresh.send() }
            try await reactor.waitUntilReadable(old.a, timeout: .seconds(60))
        }
    }

    @Test func regularFileIsAlwaysReady() async throws {
        try await withReactor { reactor in
            let file = open("/proc/self/exe", O_RDONLY)
            defer { close(file) }
            try await reactor.waitUntilReadable(file)
        }
    }

    @Test func callbackRunsUntilRemovedEvenFromInsideItself() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            var count = 0
            try reactor.addReader(pair.a) {
                count += 1
                if count == 3 { reactor.removeReader(pair.a) }
            }
            pair.send()
            let deadline = reactor.now.advanced(by: .seconds(60))
            while count < 3, reactor.now < deadline { try await reactor.sleep(for: .milliseconds(1)) }
            try await reactor.sleep(for: .milliseconds(5))
            #expect(count == 3, "level-triggered: called again while bytes are there")
        }
    }

    @Test func waitForEitherDirectionSaysWhich() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            let before = try await reactor.waitUntilReadableOrWritable(pair.a)
            #expect(before == .writable)
            pair.send()
            let after = try await reactor.waitUntilReadableOrWritable(pair.a)
            #expect(after == [.readable, .writable])
        }
    }

    @Test func hungUpPeerDoesNotSpinAnIdleRegistration() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            var count = 0
            try reactor.addReader(pair.a) {
                count += 1; reactor.removeReader(pair.a)
            }
            pair.closeFar()
            while count == 0 { try await reactor.sleep(for: .milliseconds(1)) }
            try await reactor.sleep(for: .milliseconds(5))
            #expect(count == 1)
        }
    }
}
