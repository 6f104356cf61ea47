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
    /// In the order in which they subscribed.
    private var listeners: [Listener] = []
    /// What we have blocked ourselves; what was blocked before us stays so when we go.
    private var blocked: Set<Int32> = []

    /// One subscription.
    @ReactorActor
    final class Listener {
        let numbers: Set<Int32>
        let receive: @ReactorActor (Int32) -> Void
        /// Whether the reactor listens for itself, and wakes no task by it.
        let isInternal: Bool

        init(
            _ numbers: Set<Int32>, isInternal: Bool = false,
            _ receive: @escaping @ReactorActor (Int32) -> Void
        ) {
            self.numbers = numbers
            self.isInternal = isInternal
            self.receive = receive
        }
    }

    /// Whether a signal may make somebody go on.
    var hasSubscribers: Bool { listeners.contains { !$0.isInternal } }

    init(reactor: Reactor) { self.reactor = reactor }

    /// The source of a reactor, made by the first who asks.
    static func of(_ reactor: Reactor) -> SignalSource {
        if let source = reactor.signalSource { return source }
        let source = SignalSource(reactor: reactor)
        reactor.signalSource = source
        return source
    }

    /// Adds a listener behind the others. When it throws, nothing has changed.
    func add(_ listener: Listener) throws {
        for number in listener.numbers {
            var set = sigset_t()
            let isSignal = sigemptyset(&set) == 0 && sigaddset(&set, number) == 0
            guard isSignal, number != SIGKILL, number != SIGSTOP else {
                throw ReactorError(.systemCall, "signal \(number) cannot be received", errno: EINVAL)
            }
        }
        listeners.append(listener)
        do { try update(blocking: listener.numbers) } catch {
            remove(listener)
            throw error
        }
    }

    func remove(_ listener: Listener) {
        guard let index = listeners.firstIndex(where: { $0 === listener }) else { return }
        listeners.remove(at: index)
        let wanted = listeners.reduce(into: Set<Int32>()) { $0.formUnion($1.numbers) }
        let unwanted = blocked.subtracting(wanted)
        blocked.subtract(unwanted)
        var released = signalSet(unwanted)
        if listeners.isEmpty {
            if fd >= 0 {
                reactor.descriptorWillClose(fd)
                close(fd)
                fd = -1
            }
        } else {
            // Narrowing the set of an existing signalfd cannot fail for lack of anything.
            var mask = signalSet(wanted)
            _ = signalfd(fd, &mask, 0)
        }
        pthread_sigmask(SIG_UNBLOCK, &released, nil)
    }

    /// In the child of a fork: nobody listens here, so signals do again what they did before.
    func abandon() {
        if fd >= 0 { close(fd) }
        fd = -1
        var released = signalSet(blocked)
        pthread_sigmask(SIG_UNBLOCK, &released, nil)
    }

    private func update(blocking numbers: Set<Int32>) throws {
        var added = signalSet(numbers)
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &added, &before)
        blocked.formUnion(numbers.filter { sigismember(&before, $0) == 0 })
        var mask = signalSet(listeners.reduce(into: Set<Int32>()) { $0.formUnion($1.numbers) })
        let result = signalfd(fd, &mask, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard result >= 0 else {
            throw ReactorError(.systemCall, "signalfd failed: \(errnoText(errno))", errno: errno)
        }
        if fd < 0 {
            fd = result
            let site = CallSite(#fileID, #line)
            try reactor.addReader(
                fd, .init({ [unowned self] in drain() }, site: site, isInternal: true))
        }
    }

    private func drain() {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while fd >= 0, read(fd, &info, size) == size {
            let number = Int32(info.ssi_signo)
            // Those who leave meanwhile, because an earlier one made them, hear nothing any more.
            for listener in listeners where listener.numbers.contains(number) {
                if listeners.contains(where: { $0 === listener }) { listener.receive(number) }
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
