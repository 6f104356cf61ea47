import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@testable import BlockingShims

/// What wakes who waits for a descriptor otherwise than alone and by itself, when the descriptor is closed.
@Suite(.everyBackend) struct CloseTests {
    /// The ways to close a number; the last two give it to another file in the same step.
    enum Closing: CaseIterable {
        case close, dup2, dup3

        func callAsFunction(_ fd: Int32, replacement: Int32) {
            switch self {
            case .close: _ = Glibc.close(fd)
            case .dup2: _ = Glibc.dup2(replacement, fd)
            case .dup3: _ = symbol("dup3", as: Dup3.self)(replacement, fd, O_CLOEXEC)
            }
        }
    }

    @Test(arguments: Closing.allCases)
    func everyAccepterOfAClosedListenerGetsEBADF(closing: Closing) async throws {
        try await withReactor { reactor in
            let listener = LoopbackListener()
            let number = dup(listener.fd)
            let other = LoopbackListener()  // the number's next owner, with somebody to accept
            let client = other.connectClient()
            let accepters = (0..<4).map { _ in
                Greenlet.spawn { () -> Int32 in accept(number, nil, nil) < 0 ? errno : 0 }
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { closing(number, replacement: other.fd) }.join()
            for accepter in accepters {
                let code = try await accepter.get()
                #expect(code == EBADF)
            }
            if closing != .close { close(number) }
            close(client)
        }
    }

    @Test(arguments: Closing.allCases, [2, 9])
    func pollOfSeveralReportsTheClosedOneAsPOLLNVAL(closing: Closing, count: Int) async throws {
        try await withReactor { reactor in
            let pairs = (0..<count).map { _ in Pair.sockets() }
            let number = dup(pairs[1].first)
            let ready = Pair.sockets()  // the number's next owner
            _ = write(ready.second, "x", 1)
            let waiter = Greenlet.spawn { () -> (Int32, [Int16]) in
                var fds = pairs.map { pollfd(fd: $0.first, events: Int16(POLLIN), revents: 0) }
                fds[1].fd = number
                let result = poll(&fds, nfds_t(fds.count), -1)
                return (result, fds.map(\.revents))
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { closing(number, replacement: ready.first) }.join()
            let (result, answers) = try await waiter.get()
            #expect(result == 1)
            #expect(answers == (0..<count).map { $0 == 1 ? Int16(POLLNVAL) : 0 })
            if closing != .close { close(number) }
        }
    }

    @Test(arguments: Closing.allCases)
    func selectOfSeveralFailsWithEBADF(closing: Closing) async throws {
        try await withReactor { reactor in
            let (first, second, ready) = (Pair.sockets(), Pair.sockets(), Pair.sockets())
            let number = dup(second.first)
            _ = write(ready.second, "x", 1)
            let waiter = Greenlet.spawn { () -> (Int32, Bool) in
                var readable = DescriptorSet(first.first, number)
                let count = readable.withFdSet { select(max(first.first, number) + 1, $0, nil, nil, nil) }
                return (count < 0 ? errno : 0, readable.contains(first.first) && readable.contains(number))
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { closing(number, replacement: ready.first) }.join()
            let (code, isAsGiven) = try await waiter.get()
            #expect(code == EBADF)
            #expect(isAsGiven, "the sets are left as they were")
            if closing != .close { close(number) }
        }
    }

    @Test func everyEntryOfAClosedNumberSaysPOLLNVAL() async throws {
        try await withReactor { reactor in
            let pair = Pair.sockets()
            _ = pair.fill()
            let number = dup(pair.second)
            let waiter = Greenlet.spawn { () -> (Int32, [Int16]) in
                var fds = [POLLIN, POLLOUT].map { pollfd(fd: number, events: Int16($0), revents: 0) }
                let result = poll(&fds, 2, -1)
                return (result, fds.map(\.revents))
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { close(number) }.join()
            let (result, answers) = try await waiter.get()
            #expect(result == 2)
            #expect(answers == [Int16(POLLNVAL), Int16(POLLNVAL)])
        }
    }

    @Test func pollForUrgentDataAloneIsWokenToo() async throws {
        try await withReactor { reactor in
            let pair = Pair.sockets()
            let waiter = Greenlet.spawn { () -> Int16 in
                var entry = pollfd(fd: pair.first, events: Int16(POLLPRI), revents: 0)
                return poll(&entry, 1, -1) == 1 ? entry.revents : 0
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { pair.closeFirst() }.join()
            let answer = try await waiter.get()
            #expect(answer == Int16(POLLNVAL))
        }
    }

    /// What holds one instance more than nest is looked at from time to time.
    @Test func pollThatNapsSeesThatADescriptorWasClosed() async throws {
        try await withReactor { reactor in
            let chain = nestedInstances()
            let (pair, ready) = (Pair.sockets(), Pair.sockets())
            let number = dup(pair.first)
            _ = write(ready.second, "x", 1)
            let waiter = Greenlet.spawn { () -> [Int16] in
                var fds = [chain.last!, number].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                return poll(&fds, 2, -1) == 1 ? fds.map(\.revents) : []
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { _ = dup2(ready.first, number) }.join()
            let answers = try await waiter.get()
            #expect(answers == [0, Int16(POLLNVAL)])
            for fd in chain + [number] { close(fd) }
        }
    }

    @Test func whoNoLongerWaitsIsNotLookedFor() async throws {
        try await withReactor { reactor in
            let pairs = (0..<6).map { _ in Pair.sockets() }
            let fds = pairs.map(\.first)
            @Sendable func wait(_ milliseconds: Int32) -> Int32 {
                var entries = fds.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                return poll(&entries, nfds_t(entries.count), milliseconds)
            }
            let killed = Greenlet.spawn { wait(-1) }
            let timedOut = Greenlet.spawn { wait(5) }
            let staying = Greenlet.spawn { wait(-1) }
            try await reactor.sleep(for: .milliseconds(20))
            try await killed.kill()
            let none = try await timedOut.get()
            #expect(none == 0)
            try await Greenlet.spawn { for pair in pairs { pair.closeFirst() } }.join()
            let count = try await staying.get()
            #expect(count == 6)
        }
    }

    @Test func closedEpollInstanceIsEBADFWhateverTheNumberMeansByThen() async throws {
        try await withReactor { reactor in
            let (silent, ready) = (Pair.sockets(), Pair.sockets())
            _ = write(ready.second, "x", 1)
            let (number, other) = (instance(silent.first), instance(ready.first))
            let waiter = Greenlet.spawn { () -> Int32 in
                var event = epoll_event()
                return epoll_wait(number, &event, 1, -1) < 0 ? errno : 0
            }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { _ = dup2(other, number) }.join()
            let code = try await waiter.get()
            #expect(code == EBADF)
            for fd in [number, other] { close(fd) }
        }
    }

    @Test func closedFileIsNotLockedInTheNextOwnersPlace() async throws {
        try await withReactor { reactor in
            let (file, other) = (TemporaryFile(), TemporaryFile())
            let call = LockTests.Call.flock
            _ = call(file.fd)
            let number = Glibc.open(file.path, O_RDWR)
            let waiter = Greenlet.spawn { () -> Int32 in call(number) < 0 ? errno : 0 }
            try await reactor.sleep(for: .milliseconds(20))
            try await Greenlet.spawn { _ = dup2(other.fd, number) }.join()
            let code = try await waiter.get()
            #expect(code == EBADF)
            close(number)
        }
    }
}

private typealias Dup3 = @convention(c) (Int32, Int32, Int32) -> Int32

/// An epoll instance that watches one descriptor.
private func instance(_ fd: Int32) -> Int32 {
    let epoll = epoll_create1(0)
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(fd: fd))
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)
    return epoll
}
