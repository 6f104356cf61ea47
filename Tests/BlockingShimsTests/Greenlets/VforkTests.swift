import CForeignCode
import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import TestForks
import Testing

@testable import BlockingShims

/// vfork(2) and _Fork(3), in which no handler of pthread_atfork(3) runs. What forks in a process of its own, as in `ForkTests`.
@Suite struct VforkTests {
    @Test(
        arguments: [CFOREIGN_FORK, CFOREIGN_VFORK, CFOREIGN_SECOND_VFORK, CFOREIGN_FORK_ALONE].map(
            \.rawValue),
        [true, false]
    )
    func descriptorsThatAChildOfAReactorsThreadClosesStayTheParents(way: UInt32, inGreenlet: Bool) async {
        await #expect(processExitsWith: .success) { [way, inGreenlet] in
            try await withReactor { reactor in
                // The threads that began with the process come to rest, in the kernel.
                try await reactor.sleep(for: .milliseconds(100))
                let closed = Pair.sockets()
                let replaced = Pair.sockets()
                let readers = [closed, replaced].map { pair in
                    Greenlet.spawn { ReceiveTests.Call.recv(pair.first, 5) }
                }
                try await reactor.sleep(for: .milliseconds(10))
                let mark = Mark()
                let fork = { () -> Int32 in
                    let child = mark.child(
                        cforeign_way(way), closing: closed.first, replacing: replaced.first)
                    return exitStatus(of: child)
                }
                let status = inGreenlet ? try await Greenlet.spawn { fork() }.get() : fork()
                #expect(status == 7)
                #expect(mark.value == 0, "the child has memory of its own")
                for (pair, reader) in zip([closed, replaced], readers) {
                    _ = send(pair.second, "hello", 5, 0)
                    let bytes = try await reader.get().bytes
                    #expect(bytes == Array("hello".utf8))
                }
                try await reactor.sleep(for: .milliseconds(1))
            }
        }
    }

    @Test func callsOfAGreenletInTheChildOfForkAlonePassThrough() async {
        await #expect(processExitsWith: .success) {
            try await withReactor { reactor in
                try await reactor.sleep(for: .milliseconds(100))
                let pipes = Pair.pipes()
                let forks = clinux_fork_count()
                let status = try await Greenlet.spawn { () -> Int32 in
                    typealias Function = @convention(c) () -> pid_t
                    let child = symbol("_Fork", as: Function.self)()
                    if child == 0 {
                        alarm(30)
                        var letter: UInt8 = 0
                        let isRead = read(pipes.first, &letter, 1) == 1 && letter == 104
                        _exit(isRead && !BlockingShims.isParking && clinux_fork_count() == forks + 1 ? 5 : 1)
                    }
                    usleep(20_000)
                    _ = write(pipes.second, "h", 1)
                    return exitStatus(of: child)
                }.get()
                #expect(status == 5)
                #expect(clinux_fork_count() == forks)
            }
        }
    }

    // The sanitizers' books about memory do not stand two processes: there it is fork.
    @Test(
        .enabled(if: BlockingShimsList.contains("pthread_join")),
        arguments: [CFOREIGN_VFORK, CFOREIGN_SECOND_VFORK].map(\.rawValue))
    func offFibersTheChildOfVforkSharesMemoryAsLibcs(way: UInt32) {
        let closed = Pair.sockets()
        let replaced = Pair.sockets()
        let mark = Mark()
        let child = mark.child(cforeign_way(way), closing: closed.first, replacing: replaced.first)
        #expect(exitStatus(of: child) == 7)
        #expect(mark.value == 1)
        #expect(fcntl(closed.first, F_GETFD) >= 0)
    }
}

/// A number that a child sets to 1, in memory that stays where it is.
private final class Mark: Sendable {
    // The child writes to it through C, before the parent reads it.
    private nonisolated(unsafe) let place = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    init() { place.pointee = 0 }

    deinit { place.deallocate() }

    var value: Int32 { place.pointee }

    func child(_ way: cforeign_way, closing closed: Int32, replacing replaced: Int32) -> pid_t {
        var steps = cforeign_steps(closed: closed, replaced: replaced, mark: place)
        return cforeign_child(way, &steps)
    }
}
