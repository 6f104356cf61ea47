import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Synchronization
import Testing

@Suite(.everyBackend) struct WakeupTests {
    @Test func ringingBeforeTheWaitIsKeptAndManyAreOne() async throws {
        try await withReactor { reactor in
            let wakeup = try Wakeup()
            for _ in 0..<3 { wakeup.send() }
            #expect(try await wakeup.wait())
            #expect(try await !wakeup.wait(timeout: .milliseconds(2)))
            #expect(!wakeup.tryWait())
            wakeup.send()
            #expect(wakeup.tryWait())
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test func threadWakesGreenletsOfBothKinds() async throws {
        try await withReactor { reactor in
            let there = try Wakeup()
            let back = try Wakeup()
            let greenlet = Greenlet.spawn { () throws in
                for _ in 0..<100 {
                    #expect(try there.wait(timeout: .seconds(60)))
                    back.send()
                }
            }
            for _ in 0..<100 {
                try await reactor.threadPool.run { there.send() }
                #expect(try await back.wait(timeout: .seconds(60)))
            }
            try await greenlet.get()
        }
    }

    @Test func secondWaiterGetsAClearErrorAndACancelledOneTakesNothing() async throws {
        try await withReactor { reactor in
            let wakeup = try Wakeup()
            let first = Greenlet.spawn { try wakeup.wait() }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            let error = await #expect(throws: ReactorError.self) { _ = try await wakeup.wait() }
            #expect(error?.code == .descriptorBusy)
            first.cancel()
            wakeup.send()
            try await first.join()
            #expect(try await wakeup.wait())
        }
    }

    @Test func signalHandlerMayRing() async {
        await #expect(processExitsWith: .success) {
            let wakeup = try Wakeup()
            // Held for the rest of the process.
            rung.store(
                UInt(bitPattern: Unmanaged.passRetained(wakeup).toOpaque()), ordering: .sequentiallyConsistent
            )
            signal(SIGUSR1) { _ in
                let address = UnsafeRawPointer(bitPattern: rung.load(ordering: .sequentiallyConsistent))!
                Unmanaged<Wakeup>.fromOpaque(address).takeUnretainedValue().send()
            }
            try Reactor().run(until: {
                Reactor.current.callLater(.milliseconds(1)) { kill(getpid(), SIGUSR1) }
                let isHeard = try await wakeup.wait(timeout: .seconds(60))
                precondition(isHeard)
            })
        }
    }
}

/// Where the handler finds what to ring.
private let rung = Atomic<UInt>(0)
