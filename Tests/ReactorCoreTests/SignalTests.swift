import CLinux
import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct SignalTests {
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
