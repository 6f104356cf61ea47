import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@testable import BlockingShims

/// Calls in code that runs on a greenlet's stack, but in a task of its own: a callback with task-local values.
@Suite struct ForeignTaskTests {
    private enum Local {
        @TaskLocal static var number = 0
    }

    /// Runs `body` in a callback that synchronous code of a greenlet sets off.
    private static func inCallback<Value: Sendable>(
        _ body: @escaping @ReactorActor () -> Value
    ) async throws -> Value {
        let values = Values<Value>()
        try await withReactor { reactor in
            // Its look at a thread that is about to block would interrupt the call.
            reactor.monitor.maxBlockingTime = nil
            try await Greenlet.spawn { () throws -> Void in
                let deferred = Deferred<Int>()
                Local.$number.withValue(1) {
                    _ = deferred.addCallback { number -> Int in
                        values.value = body()
                        return number
                    }
                }
                try deferred.callback(0)
                // The greenlet's own code parks as ever.
                #expect(BlockingShims.isParking)
                #expect(usleep(1000) == 0)
            }.get()
        }
        return try #require(values.value)
    }

    @ReactorActor private final class Values<Value: Sendable> {
        nonisolated(unsafe) var value: Value?  // set and read one after the other
        nonisolated init() {}
    }

    @Test(arguments: BlockingCall.Kind.allCases)
    func theCallBlocksItsThreadAndSucceeds(kind: BlockingCall.Kind) async throws {
        let code = try await Self.inCallback { () -> Int32 in
            let call = BlockingCall(kind)
            guard !kind.isTimer else { return call.run() }
            nonisolated(unsafe) let releaser = call  // touches other descriptors than the call does
            let helper = PosixThread {
                usleep(20_000)
                releaser.release()
            }
            let code = call.run()
            helper.join()
            return code
        }
        #expect(code == 0)
    }

    @Test func nothingParksThere() async throws {
        let isParking = try await Self.inCallback { BlockingShims.isParking }
        #expect(!isParking)
        let hasHooks = try await Self.inCallback { BlockingShims.isActive }
        #expect(hasHooks)
    }

    @Test func namesAreLookedUpThere() async throws {
        let code = try await Self.inCallback { () -> Int32 in
            var list: UnsafeMutablePointer<addrinfo>?
            let code = getaddrinfo("localhost", nil, nil, &list)
            if let list { freeaddrinfo(list) }
            return code
        }
        #expect(code == 0)
    }

    @Test(.enabled(if: shimsThreads)) func locksKnowTheirGreenletThere() async throws {
        let codes = try await Self.inCallback { () -> [Int32] in
            let (mutex, condition, semaphore) = (Mutex(.recursive), Condition(), Semaphore())
            let locked = [mutex.lock(), mutex.lock()]
            let helper = PosixThread {
                usleep(20_000)
                semaphore.post()
            }
            let waited = [semaphore.wait(), mutex.unlock()]
            let signaller = PosixThread {
                mutex.lock()
                condition.signal()
                mutex.unlock()
            }
            let signalled = [condition.wait(mutex), mutex.unlock(), mutex.unlock()]
            helper.join()
            signaller.join()
            return locked + waited + signalled
        }
        #expect(codes == [0, 0, 0, 0, 0, 0, EPERM])
    }

    @Test func closingThereWakesWhoWaits() async throws {
        let codes = Values<[Int32]>()
        try await withReactor { reactor in
            let pipes = Pair.pipes()
            let number = pipes.first
            let waiter = Greenlet.spawn { () -> Int32 in
                ReceiveTests.Call.read(number, 1).count < 0 ? errno : 0
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { () throws -> Void in
                let deferred = Deferred<Int>()
                Local.$number.withValue(1) {
                    _ = deferred.addCallback { number -> Int in
                        pipes.closeFirst()
                        return number
                    }
                }
                try deferred.callback(0)
            }.get()
            let code = try await waiter.get()
            codes.value = [code]
        }
        #expect(codes.value == [EBADF])
    }
}
