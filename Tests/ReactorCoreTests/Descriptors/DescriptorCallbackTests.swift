import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

/// Callbacks that throw, lists of them, and what ends them.
@Suite(.everyBackend) struct DescriptorCallbackTests {
    @Test func callbackThatThrowsIsReportedWithItsSiteAndTakenOut() async throws {  // S36
        try await withReactor { reactor in
            var log: [String] = []
            let report = reactor.onUncaughtError
            reactor.onUncaughtError = { log.append("\($1): \($0)") }
            defer { reactor.onUncaughtError = report }
            let pair = SocketPair()
            pair.send()
            let line: UInt = #line + 1
            try reactor.addReader(pair.a) { throw Spam() }
            try reactor.addWriter(pair.a) { throw Spam() }
            while log.count < 2 { try await reactor.sleep(for: .milliseconds(1)) }
            let file = "ReactorCoreTests/DescriptorCallbackTests.swift"
            let site = "callback of descriptor \(pair.a) added at \(file)"
            #expect(
                log == [
                    "the reader \(site):\(line): Spam()", "the writer \(site):\(line + 1): Spam()",
                ])
            #expect(reactor.watchedDescriptors.isEmpty)
            try await reactor.waitUntilReadable(pair.a)  // the descriptor is free, and open
        }
    }

    @Test func callbackThatThrowsAfterClosingLeavesTheNextOwnerAlone() async throws {
        try await withReactor { reactor in
            var log: [String] = []
            let report = reactor.onUncaughtError
            reactor.onUncaughtError = { error, _ in log.append("\(error)") }
            defer { reactor.onUncaughtError = report }
            let (old, fresh) = (SocketPair(), SocketPair())
            old.send()
            try reactor.addReader(old.a) {
                reactor.descriptorWillClose(old.a)
                dup2(fresh.a, old.a)
                try reactor.addReader(old.a) {
                    log.append("next owner"); fresh.drain()
                }
                throw Spam()
            }
            while log.isEmpty { await reactor.yield() }
            fresh.send()
            while log.count < 2 { await reactor.yield() }
            #expect(log == ["Spam()", "next owner"])
            reactor.removeReader(old.a)
        }
    }

    @Test func readersAndWritersAreListedAndRemovedTogether() async throws {
        try await withReactor { reactor in
            let (first, second, third) = (SocketPair(), SocketPair(), SocketPair())
            let signals = try reactor.signals(SIGURG)
            try reactor.addReader(first.a) {}
            try reactor.addReader(second.a) {}
            try reactor.addWriter(second.a) {}
            let waiter = reactor.startTask { try? await reactor.waitUntilReadable(third.a) }
            await reactor.yield()
            #expect(reactor.readers == [first.a, second.a].sorted())
            #expect(reactor.writers == [second.a])
            #expect(reactor.removeAll() == [first.a, second.a].sorted())
            #expect(reactor.readers == [] && reactor.writers == [] && reactor.removeAll() == [])
            // What was no callback of a user goes on: parked tasks, signals, foreign threads.
            third.send()
            await waiter.value
            pthread_kill(pthread_self(), SIGURG)
            var iterator = signals.makeAsyncIterator()
            let number = try await iterator.next()
            #expect(number == SIGURG)
            _ = try await reactor.threadPool.run { 1 }
        }
    }

    @Test func secondCallbackOfOneDirectionGetsAClearError() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            try reactor.addReader(pair.a) {}
            let error = #expect(throws: ReactorError.self) { try reactor.addReader(pair.a) {} }
            #expect(error?.code == .descriptorBusy)
            #expect(error?.message.contains("descriptor \(pair.a) is already waited for to read") == true)
            try reactor.addWriter(pair.a) {}
            let second = #expect(throws: ReactorError.self) { try reactor.addWriter(pair.a) {} }
            #expect(second?.message.contains("to write") == true)
            reactor.removeReader(pair.a)
            reactor.removeWriter(pair.a)
        }
    }

    @Test func closingWakesWaitersOfBothDirectionsWithEBADF() async throws {  // S66b
        try await withReactor { reactor in
            let pair = SocketPair()
            pair.fill()
            let waits = [
                reactor.startTask { await errno { try await reactor.waitUntilReadable(pair.a) } },
                reactor.startTask { await errno { try await reactor.waitUntilWritable(pair.a) } },
            ]
            await reactor.yield()
            reactor.descriptorWillClose(pair.a)
            for wait in waits {
                let code = await wait.value
                #expect(code == EBADF)
            }
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }
}

private struct Spam: Error {}

/// The errno of the error that `body` throws.
@ReactorActor private func errno(_ body: @ReactorActor () async throws -> Void) async -> Int32? {
    do { try await body() } catch { return (error as? ReactorError)?.errno }
    return nil
}
