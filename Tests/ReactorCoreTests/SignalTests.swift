import CLinux
import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite(.everyBackend) struct SignalTests {
    @Test func signalsArriveAsASequence() async throws {
        try await withReactor { reactor in
            let signals = try reactor.signals(SIGURG)
            let me = pthread_self()
            reactor.callLater(.zero) { pthread_kill(me, SIGURG) }
            var iterator = signals.makeAsyncIterator()
            let number = try await iterator.next()
            #expect(number == SIGURG)
        }
    }

    @Test func cancelledListenerStopsWaiting() async throws {
        try await withReactor { reactor in
            let signals = try reactor.signals(SIGWINCH)
            let task = Task { @ReactorActor in
                var iterator = signals.makeAsyncIterator()
                return try await iterator.next()
            }
            await reactor.yield()
            await reactor.yield()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func everySubscriberGetsItsSignalsAndTheLastOneClosesUp() async throws {
        try await withReactor { reactor in
            let me = pthread_self()
            let first = try reactor.signals(SIGWINCH, SIGURG)
            do {
                let second = try reactor.signals(SIGURG)
                pthread_kill(me, SIGURG)
                var one = first.makeAsyncIterator()
                var two = second.makeAsyncIterator()
                let numbers = (try await one.next(), try await two.next())
                #expect(numbers == (SIGURG, SIGURG))
            }
            pthread_kill(me, SIGWINCH)
            var one = first.makeAsyncIterator()
            let number = try await one.next()
            #expect(number == SIGWINCH)
            #expect(reactor.watchedDescriptors.count == 1)
        }
    }

    @Test func nextListenerMayWaitAsSoonAsTheLastWasCancelled() async throws {
        try await withReactor { reactor in
            let signals = try reactor.signals(SIGURG)
            let first = reactor.startTask { () -> Int32? in
                var iterator = signals.makeAsyncIterator()
                return try? await iterator.next()
            }
            await reactor.yield()
            first.cancel()
            // The first has not run since; its place is free all the same.
            pthread_kill(pthread_self(), SIGURG)
            var iterator = signals.makeAsyncIterator()
            let number = try await iterator.next()
            #expect(number == SIGURG)
            let nothing = await first.value
            #expect(nothing == nil)
        }
    }

    @Test func handlerIsCalledUntilItIsCancelled() async throws {
        try await withReactor { reactor in
            var received: [Int32] = []
            let handler = try reactor.onSignal(SIGURG) { received.append($0) }
            for count in 1...2 {
                pthread_kill(pthread_self(), SIGURG)
                while received.count < count { await reactor.yield() }
            }
            #expect(received == [SIGURG, SIGURG] && handler.isActive)
            pthread_kill(pthread_self(), SIGURG)
            handler.cancel()
            handler.cancel()
            for _ in 0..<10 { await reactor.yield() }
            #expect(received.count == 2 && !handler.isActive)
            #expect(reactor.watchedDescriptors.isEmpty, "the last one closes up")
        }
    }

    @Test func handlersAndSequencesShareOneDescriptorAndKeepTheirOrder() async throws {
        try await withReactor { reactor in
            var log: [String] = []
            let first = try reactor.onSignal(SIGURG) { _ in log.append("first") }
            let sequence = try reactor.signals(SIGURG)
            let second = try reactor.onSignal(SIGURG) { _ in log.append("second") }
            #expect(reactor.watchedDescriptors.count == 1)
            pthread_kill(pthread_self(), SIGURG)
            var iterator = sequence.makeAsyncIterator()
            let number = try await iterator.next()
            #expect(number == SIGURG)
            #expect(log == ["first", "second"])
            first.cancel()
            second.cancel()
        }
    }

    @Test func handlerCancelledByAnEarlierOneHearsNothing() async throws {
        try await withReactor { reactor in
            var log: [String] = []
            var second: SignalHandler?
            let first = try reactor.onSignal(SIGURG) { _ in
                log.append("first")
                second?.cancel()
            }
            second = try reactor.onSignal(SIGURG) { _ in log.append("second") }
            pthread_kill(pthread_self(), SIGURG)
            while log.isEmpty { await reactor.yield() }
            #expect(log == ["first"])
            first.cancel()
        }
    }

    @Test func asynchronousHandlersRunAsTasksOfTheReactor() async throws {
        try await withReactor { reactor in
            var log: [String] = []
            let handler = try reactor.onSignal(SIGURG) { number in
                try await reactor.sleep(for: .milliseconds(1))
                log.append("\(number == SIGURG) \(reactor.isOnReactorThread)")
            }
            pthread_kill(pthread_self(), SIGURG)
            while log.isEmpty { try await reactor.sleep(for: .milliseconds(1)) }
            #expect(log == ["true true"])
            handler.cancel()
        }
    }

    @Test func errorOfAHandlerIsReportedWithItsSiteAndTheHandlerStays() async throws {  // S36
        struct Spam: Error {}
        try await withReactor { reactor in
            var log: [String] = []
            let report = reactor.onUncaughtError
            reactor.onUncaughtError = { log.append("\($1): \($0)") }
            defer { reactor.onUncaughtError = report }
            let handler = try reactor.onSignal(SIGURG) { _ in throw Spam() }
            let line = #line - 1
            let text = "the handler of signal 23 added at ReactorCoreTests/SignalTests.swift:\(line): Spam()"
            for count in 1...2 {
                pthread_kill(pthread_self(), SIGURG)
                while log.count < count { await reactor.yield() }
            }
            #expect(log == [text, text])
            handler.cancel()
        }
    }

    @Test(arguments: [SIGKILL, SIGSTOP, 0, -1, 4_711])
    func whatNoProcessCanReceiveIsAnError(_ number: Int32) async throws {
        try await withReactor { reactor in
            let first = #expect(throws: ReactorError.self) { try reactor.onSignal(number) { _ in } }
            #expect(first?.message == "signal \(number) cannot be received")
            #expect(throws: ReactorError.self) { try reactor.signals(SIGURG, number) }
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test func signalThatWasBlockedBeforeStaysBlockedAfter() async throws {
        try await withReactor { reactor in
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, SIGURG)
            pthread_sigmask(SIG_SETMASK, &set, nil)  // the thread ends with the test
            do { _ = try reactor.signals(SIGURG, SIGWINCH) }
            var after = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &after)
            #expect(sigismember(&after, SIGURG) == 1)
            #expect(sigismember(&after, SIGWINCH) == 0)
        }
    }

    @Test func sequenceReleasedByAnotherThreadIsUnsubscribedOnItsReactor() async throws {
        try await withReactor { reactor in
            try handOver(try reactor.signals(SIGURG), of: reactor)
            while !reactor.watchedDescriptors.isEmpty { try await reactor.sleep(for: .milliseconds(1)) }
        }
    }

    /// The worker's is the last reference.
    @ReactorActor private func handOver(_ signals: consuming SignalSequence, of reactor: Reactor) throws {
        let box = UncheckedBox(signals)  // a `consuming` parameter cannot be captured
        try reactor.callInThread { withExtendedLifetime(box) { _ = usleep(5_000) } }
    }
}
