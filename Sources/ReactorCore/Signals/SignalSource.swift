import CLinux
import Glibc

/// The reactor's signalfd and those who listen to it.
///
/// signalfd reports only signals that are blocked, so subscribing blocks them in the reactor's thread;
/// threads made later inherit that. A thread made *before* would still take the signal the old way: subscribe
/// early.
@ReactorActor
final class SignalSource {
    /// Unowned: it holds us, and every subscription holds it.
    private unowned let reactor: Reactor
    private var fd: Int32 = -1
    private var listeners: [ObjectIdentifier: Listener] = [:]
    /// What we have blocked ourselves; what was blocked before us stays so when we go.
    private var blocked: Set<Int32> = []

    /// One subscription.
    @ReactorActor
    final class Listener {
        let numbers: Set<Int32>
        private var received: [Int32] = []
        private var waiter: Waiter<Void>?

        init(_ numbers: Set<Int32>) { self.numbers = numbers }

        func receive(_ number: Int32) {
            received.append(number)
            waiter?.resume(returning: ())
        }

        func next(on reactor: Reactor) async throws -> Int32 {
            if received.isEmpty {
                precondition(waiter?.isPending != true, "a signal sequence is iterated by two tasks at once")
                let waiter = Waiter<Void>(on: reactor)
                self.waiter = waiter
                defer { if self.waiter === waiter { self.waiter = nil } }
                try await waiter.wait()
            }
            return received.removeFirst()
        }
    }

    init(reactor: Reactor) { self.reactor = reactor }

    func add(_ listener: Listener) throws {
        listeners[ObjectIdentifier(listener)] = listener
        try update(blocking: listener.numbers)
    }

    func remove(_ listener: Listener) {
        listeners[ObjectIdentifier(listener)] = nil
        let wanted = listeners.values.reduce(into: Set<Int32>()) { $0.formUnion($1.numbers) }
        let unwanted = blocked.subtracting(wanted)
        blocked.subtract(unwanted)
        var released = signalSet(unwanted)
        if wanted.isEmpty {
            reactor.descriptorWillClose(fd)
            close(fd)
            fd = -1
        } else {
            // Narrowing the set of an existing signalfd cannot fail for lack of anything.
            var mask = signalSet(wanted)
            _ = signalfd(fd, &mask, 0)
        }
        pthread_sigmask(SIG_UNBLOCK, &released, nil)
    }

    private func update(blocking numbers: Set<Int32>) throws {
        var added = signalSet(numbers)
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &added, &before)
        blocked.formUnion(numbers.filter { sigismember(&before, $0) == 0 })
        var mask = signalSet(listeners.values.reduce(into: Set<Int32>()) { $0.formUnion($1.numbers) })
        let result = signalfd(fd, &mask, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard result >= 0 else {
            throw ReactorError(.systemCall, "signalfd failed: \(errnoText(errno))", errno: errno)
        }
        if fd < 0 {
            fd = result
            try reactor.addReader(fd) { [unowned self] in self.drain() }
        }
    }

    private func drain() {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while fd >= 0, read(fd, &info, size) == size {
            let number = Int32(info.ssi_signo)
            for listener in listeners.values where listener.numbers.contains(number) {
                listener.receive(number)
            }
        }
    }

    private func signalSet(_ numbers: Set<Int32>) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        return set
    }
}
