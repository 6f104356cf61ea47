import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct FilesystemLockTests {
    /// Runs `body` with the path of a lock file in a directory of its own.
    private func withPath(
        _ body: @escaping @Sendable @ReactorActor (Reactor, ManualClock, String) async throws -> Void
    ) async throws {
        var template = Array("/tmp/lock.XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer {
            unlink("\(directory)/lock")
            rmdir(directory)
        }
        let clock = ManualClock()
        try await withReactor(clock: clock) { reactor in try await body(reactor, clock, "\(directory)/lock") }
    }

    @Test func oneObjectHoldsTheLockAtATime() async throws {  // S32
        try await withPath { _, _, path in
            let (first, second) = (FilesystemLock(path), FilesystemLock(path))
            let taken = [try first.tryLock(), try second.tryLock()]
            #expect(taken == [true, false] && first.isLocked && !second.isLocked)
            first.unlock()
            let after = try second.tryLock()
            #expect(after && !first.isLocked)
            second.unlock()
        }
    }

    @Test func lockGoesWithTheObjectThatHoldsIt() async throws {
        try await withPath { _, _, path in
            do {
                let lock = FilesystemLock(path)
                let isTaken = try lock.tryLock()
                #expect(isTaken)
            }
            // A child that another test is just starting has the file, too, until it runs its program.
            let lock = FilesystemLock(path)
            var isTaken = try lock.tryLock()
            for _ in 0..<1000 where !isTaken {
                usleep(10_000)
                isTaken = try lock.tryLock()
            }
            #expect(isTaken)
        }
    }

    @Test func fileIsItsOwnersOnly() async throws {
        try await withPath { _, _, path in
            let lock = FilesystemLock(path)
            _ = try lock.tryLock()
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func heldLockIsTriedAgainEachSecond() async throws {  // S32
        try await withPath { reactor, clock, path in
            let (holder, waiter) = (FilesystemLock(path), FilesystemLock(path))
            _ = try holder.tryLock()
            let locked = waiter.deferUntilLocked()
            clock.advance(by: .milliseconds(999))
            await settle(reactor)
            holder.unlock()
            #expect(!locked.isCalled)
            clock.advance(by: .milliseconds(1))
            await settle(reactor)
            #expect(locked.outcome != nil && waiter.isLocked && reactor.delayedCallCount == 0)
        }
    }

    @Test func freeLockIsTakenAtOnce() async throws {
        try await withPath { _, _, path in
            let lock = FilesystemLock(path)
            #expect(lock.deferUntilLocked().outcome != nil && lock.isLocked)
        }
    }

    @Test func waitGivesUpAfterItsTimeout() async throws {
        try await withPath { reactor, clock, path in
            let (holder, waiter) = (FilesystemLock(path), FilesystemLock(path))
            _ = try holder.tryLock()
            let locked = waiter.deferUntilLocked(timeout: .milliseconds(5500))
            for _ in 0..<6 {
                clock.advance(by: .seconds(1))
                await settle(reactor)
            }
            let error = #expect(throws: DeferredError.self) { try locked.result()?.get() }
            #expect(error?.code == .timedOut && reactor.delayedCallCount == 0)
            locked.addErrback { _ in }
            holder.unlock()
            let again = waiter.deferUntilLocked()
            #expect(again.outcome != nil, "it may be tried again")
        }
    }

    @Test func cancelledWaitLeavesNoTimer() async throws {  // S21
        try await withPath { reactor, _, path in
            let (holder, waiter) = (FilesystemLock(path), FilesystemLock(path))
            _ = try holder.tryLock()
            let locked = waiter.deferUntilLocked()
            #expect(reactor.delayedCallCount == 1)
            locked.cancel()
            locked.addErrback { #expect(DeferredError.isCancellation($0)) }
            #expect(reactor.delayedCallCount == 0 && !waiter.isLocked)
        }
    }

    @Test func pathThatCannotBeOpenedIsNamed() async throws {
        try await withReactor { _ in
            let lock = FilesystemLock("/nowhere/at/all/lock")
            let error = #expect(throws: ReactorError.self) { try lock.tryLock() }
            #expect(error?.message.contains("/nowhere/at/all/lock") == true)
            let locked = lock.deferUntilLocked()
            #expect(throws: ReactorError.self) { try locked.result()?.get() }
            locked.addErrback { _ in }
        }
    }

    @Test func linkInThePlaceOfTheFileIsRefused() async throws {
        try await withPath { _, _, path in
            symlink("/etc/passwd", path)
            let lock = FilesystemLock(path)
            #expect(throws: ReactorError.self) { try lock.tryLock() }
        }
    }

    @Test func lockingTwiceByOneObjectTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in
                let lock = FilesystemLock("/dev/null")
                _ = try lock.tryLock()
                _ = try lock.tryLock()
            }
        }
        #expect(exit.said("is locked by this object already"))
    }

    @Test func unlockOfALockThatIsNotHeldTraps() async {
        let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withReactor { _ in FilesystemLock("/dev/null").unlock() }
        }
        #expect(exit.said("unlock() of FilesystemLock(/dev/null), which this object does not hold"))
    }
}
