import CLinux
import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

/// A descriptor that somebody waits for is closed on another thread, so that the reactor hears nothing of it, and its number
/// given to another file.
@Suite(.everyBackend) struct UnannouncedCloseTests {
    @Test func waiterOfTheFormerFileFailsWhenTheOtherDirectionIsWaitedFor() async throws {  // S66b
        try await withReactor { reactor in
            let (old, fresh) = (SocketPair(), SocketPair())
            let former = await reader(of: old.a, reactor)
            await replace(old.a, by: fresh.a)
            try await reactor.waitUntilWritable(old.a)
            let code = await former.value
            #expect(code == EBADF)
            #expect(reactor.watchedDescriptors.isEmpty)
            fresh.send()
            try await reactor.waitUntilReadable(old.a)
        }
    }

    @Test func placeOfTheFormerFilesWaiterIsFree() async throws {
        try await withReactor { reactor in
            let (old, fresh) = (SocketPair(), SocketPair())
            let former = await reader(of: old.a, reactor)
            await replace(old.a, by: fresh.a)
            let latter = await reader(of: old.a, reactor)
            let code = await former.value
            #expect(code == EBADF)
            fresh.send()
            let answer = await latter.value
            #expect(answer == 0)
        }
    }

    @Test func callbackOfTheFormerFileIsDropped() async throws {
        try await withReactor { reactor in
            let (old, fresh) = (SocketPair(), SocketPair())
            var calls: [String] = []
            try reactor.addReader(old.a) { calls.append("former") }
            try await reactor.sleep(for: .milliseconds(1))
            await replace(old.a, by: fresh.a)
            try reactor.addReader(old.a) {
                calls.append("latter")
                fresh.drain()
            }
            fresh.send()
            while calls.isEmpty { try await reactor.sleep(for: .milliseconds(1)) }
            #expect(calls == ["latter"])
            #expect(reactor.readers == [old.a])
            reactor.removeReader(old.a)
        }
    }

    @Test func nextFileMayBeARegularOne() async throws {
        try await withReactor { reactor in
            let old = SocketPair()
            let former = await reader(of: old.a, reactor)
            let file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            await replace(old.a, by: file)
            try await reactor.waitUntilReadable(old.a)  // always ready
            let code = await former.value
            #expect(code == EBADF)
        }
    }

    @Test func numberThatIsClosedByThenIsSoForBoth() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            // A number that nobody else in this process is given meanwhile: near the most it may have, and not one that other
            // tests take.
            let most = min(sysconf(Int32(_SC_OPEN_MAX)), 65_536)
            let high = fcntl(pair.a, F_DUPFD_CLOEXEC, Int32(most) - 128)
            let former = await reader(of: high, reactor)
            await elsewhere { close(high) }
            let latter = await reader(of: high, reactor)
            let codes = (await former.value, await latter.value)
            #expect(codes == (EBADF, EBADF))
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }

    @Test(arguments: [false, true])
    func placeOfAnOpenFilesWaiterIsTakenAndKept(_ isReadyByThen: Bool) async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            let first = await reader(of: pair.a, reactor)
            if isReadyByThen { pair.send() }
            do {
                _ = try reactor.beginWait(for: .readable, of: pair.a, timeout: nil)
                Issue.record("the place was free")
            } catch {
                #expect((error as? ReactorError)?.code == .descriptorBusy)
            }
            if !isReadyByThen { pair.send() }
            let code = await first.value
            #expect(code == 0)
        }
    }

    @Test func waiterOfTheSameFileStaysWhenTheOtherDirectionIsWaitedFor() async throws {
        try await withReactor { reactor in
            let pair = SocketPair()
            let first = await reader(of: pair.a, reactor)
            for _ in 0..<3 { try await reactor.waitUntilWritable(pair.a) }
            pair.send()
            let code = await first.value
            #expect(code == 0)
        }
    }
}

/// A task that waits until `fd` is readable, and the kernel has heard of it. Gives the errno of what it threw, or 0.
@ReactorActor private func reader(of fd: Int32, _ reactor: Reactor) async -> Task<Int32, Never> {
    let task = reactor.startTask { () async -> Int32 in
        do {
            try await reactor.waitUntilReadable(fd)
            return 0
        } catch { return (error as? ReactorError)?.errno ?? -1 }
    }
    // The first may end in the turn in which the task begins, and a ring hears of it at that turn's end.
    for _ in 0..<3 { try? await reactor.sleep(for: .milliseconds(1)) }
    return task
}

private func replace(_ fd: Int32, by other: Int32) async {
    await elsewhere { _ = dup2(other, fd) }
}
