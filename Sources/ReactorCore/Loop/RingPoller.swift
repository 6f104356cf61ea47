import CLinux
import Glibc

/// The kernel side of the loop by io_uring(7): polls as submissions, and an eventfd that foreign threads write to wake
/// it.
///
/// It keeps what epoll promises, with the means of io_uring:
///
/// - **Level-triggered.** A poll completes once. That of a callback is submitted anew with the next wait, in the same
///   system call, and completes at once while the descriptor is still ready. Changes are collected until then, so a
///   turn costs one system call whatever it registers.
/// - **Identity.** Each poll has a token of its own, in its user data with the descriptor; a completion whose token is
///   not the descriptor's last is dropped. epoll's rule (see `DescriptorTable`) lives above it.
/// - **The file stays open.** epoll forgets a file when its last descriptor is closed; a poll *holds* the file: a peer
///   would see no end of file, a port could not be bound again. So a poll ends with its wait, and before
///   `descriptorWillClose` returns. A descriptor that is closed *while* somebody waits for it and without that call
///   stays open until the wait ends.
/// - **RDHUP.** io_uring reports a peer's half-close to those who have not asked for it too: a writer with a full buffer
///   would spin. When nothing asked for was reported, the next poll is one that repeats: it reports changes.
/// - **Threads.** A poll completes on the thread that submitted it, which the kernel interrupts for it. When another
///   comes to run the loop, all are submitted anew; one whose thread has ended completes with ECANCELED, and is too.
final class RingPoller: @unchecked Sendable {  // the loop's thread, or deinit; but wake()
    /// What the kernel was asked about a descriptor, and what it should be asked.
    struct Slot {
        /// The epoll mask asked for; 0 for nothing.
        var wanted: UInt32 = 0
        /// The table's, for the event.
        var generation: UInt32 = 0
        /// The poll in the kernel; 0 for none.
        var token: UInt32 = 0
        /// Whether a poll has to be submitted.
        var isDue = false
        var isListed = false
        /// Whether that poll repeats.
        var repeats = false

        var isLevel: Bool { wanted != 0 && wanted & EPOLLONESHOT.rawValue == 0 }
    }

    let ring = UnsafeMutablePointer<clinux_ring>.allocate(capacity: 1)
    private let wakeup: Int32
    /// An epoll instance that says what can be waited for: a poll of a regular file is as good as any other.
    private let oracle: Int32
    /// What makes the last two anew in the child of a fork.
    private let forkWatch: OpaquePointer?

    @exclusivity(unchecked) var slots: [Slot] = []
    /// Descriptors with a poll due.
    @exclusivity(unchecked) private var changed: [Int32] = []
    /// Completions taken to make room when there was none.
    @exclusivity(unchecked) var backlog: [clinux_completion] = []
    @exclusivity(unchecked) var batch = EventBatch()
    @exclusivity(unchecked) private var lastToken: UInt32 = 0
    /// The poll of `wakeup`; 0 for none.
    @exclusivity(unchecked) var wakeToken: UInt32 = 0
    /// Whose polls they are; 0 before the first.
    @exclusivity(unchecked) private var thread: Int32 = 0
    /// Whether a wait has ended before anything happened: by a signal, or by completions that were stale.
    @exclusivity(unchecked) var wasInterrupted = false

    init() throws(ReactorError) {
        let result = clinux_ring_init(ring, 256, 4096)
        wakeup = result == 0 ? eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)) : -1
        oracle = wakeup >= 0 ? epoll_create1(Int32(EPOLL_CLOEXEC)) : -1
        let code = errno
        forkWatch = oracle >= 0 ? clinux_poller_watch(oracle, wakeup) : nil
        guard result == 0 else { throw Reactor.Backend.unavailable(-result) }
        guard wakeup >= 0, oracle >= 0 else { throw Poller.failure("eventfd or epoll_create1", code) }
        // Until a thread comes to run the loop: it may have a call waiting.
        write { clinux_ring_nop(ring, CLINUX_RING_IGNORED) }
        submit()
    }

    deinit {
        if ring.pointee.fd >= 0 {
            // What is left to the kernel it cancels some time later, and holds the files until then.
            endAll()
            submit()
            clinux_ring_term(ring)
        }
        ring.deallocate()
        batch.deallocate()
        clinux_poller_unwatch(forkWatch)
        if wakeup >= 0 { close(wakeup) }
        if oracle >= 0 { close(oracle) }
    }

    /// Readable when there are completions.
    var descriptor: Int32 { ring.pointee.fd }

    /// Ends the current or the next wait. Any thread.
    func wake() {
        _ = eventfd_write(wakeup, 1)
    }

    /// Takes a ring of the child's own in the place of the parent's, whose queues it shares, and forgets every poll: in the
    /// child of a fork.
    func adopt() {
        clinux_ring_term(ring)
        let result = clinux_ring_init(ring, 256, 4096)
        precondition(result == 0, "no io_uring in the child of a fork: \(errnoText(-result))")
        slots = []
        changed = []
        backlog = []
        wakeToken = 0
        thread = 0
        write { clinux_ring_nop(ring, CLINUX_RING_IGNORED) }
        submit()
    }

    // MARK: Registrations

    /// Sets what is reported for a descriptor. Returns 0 or −errno; for a mask of one shot 0 always: the wait reports
    /// what is wrong.
    func control(
        _ operation: Poller.Operation, _ fd: Int32, events: UInt32, generation: UInt32
    ) -> Int32 {
        let index = Int(fd)
        if index >= slots.count {
            slots.append(contentsOf: repeatElement(Slot(), count: index + 1 - slots.count))
        }
        guard operation != .delete else {
            slots[index].wanted = 0
            slots[index].isDue = false
            if slots[index].token != 0 {
                endPoll(fd)
                // At once: the caller may be about to close the descriptor.
                submit()
            }
            return 0
        }
        if events & EPOLLONESHOT.rawValue == 0, !slots[index].isLevel {
            let result = clinux_epoll_ctl(oracle, Poller.Operation.add.rawValue, fd, 0, 0)
            guard result == 0 else { return result }
            _ = clinux_epoll_ctl(oracle, Poller.Operation.delete.rawValue, fd, 0, 0)
        }
        slots[index].wanted = events
        slots[index].generation = generation
        slots[index].repeats = false
        list(fd)
        return 0
    }

    /// Whether `fd` means another file than the one its poll waits for and holds, or none; as far as the kernel can tell,
    /// Linux 6.0 at the least. What is not submitted yet is nobody else's.
    func hasLost(_ fd: Int32) -> Bool {
        let index = Int(fd)
        guard index < slots.count, slots[index].token != 0 else { return fcntl(fd, F_GETFD) < 0 }
        let data = userData(slots[index].token, fd)
        submit()
        let result = clinux_ring_end_poll_of(ring, data, fd)
        guard result != -EBADF else { return true }
        guard result == 0 else {
            if result > 0 {
                slots[index].token = 0
                list(fd)
            }
            return false
        }
        // It may have completed instead, for whichever file.
        var completion = clinux_completion()
        while clinux_ring_next(ring, &completion) != 0 { backlog.append(completion) }
        return !backlog.contains { $0.user_data == data }
    }

    /// Has a poll submitted before the next wait.
    func list(_ fd: Int32) {
        let index = Int(fd)
        slots[index].isDue = true
        guard !slots[index].isListed else { return }
        slots[index].isListed = true
        changed.append(fd)
    }

    /// Writes what has changed into the submission queue.
    func writeChanges() {
        guard !changed.isEmpty else { return }
        for fd in changed {
            let index = Int(fd)
            slots[index].isListed = false
            guard slots[index].isDue else { continue }
            slots[index].isDue = false
            // Anew even when the mask is the same: the number may mean a new file by now.
            if slots[index].token != 0 { endPoll(fd) }
            let token = nextToken()
            let slot = slots[index]
            slots[index].token = token
            write {
                clinux_ring_poll(
                    ring, fd, slot.wanted & ~EPOLLONESHOT.rawValue, slot.repeats ? 1 : 0, userData(token, fd))
            }
        }
        changed.removeAll(keepingCapacity: true)
    }

    func endPoll(_ fd: Int32) {
        let data = userData(slots[Int(fd)].token, fd)
        slots[Int(fd)].token = 0
        write { clinux_ring_end_poll(ring, data) }
    }

    /// Repeats, and the counter is never read: each write is a change, and that is all it has to say.
    func pollWakeup() {
        wakeToken = nextToken()
        write { clinux_ring_poll(ring, wakeup, EPOLLIN.rawValue, 1, userData(wakeToken, -1)) }
    }

    private func userData(_ token: UInt32, _ fd: Int32) -> UInt64 {
        UInt64(token) << 32 | UInt64(UInt32(bitPattern: fd))
    }

    /// Never 0, and never that of `CLINUX_RING_IGNORED`. Four thousand million polls later a token is used again; the
    /// kernel has none that old but polls of files that were never ready, and those are their slots' last.
    private func nextToken() -> UInt32 {
        lastToken = lastToken >= .max - 1 ? 1 : lastToken + 1
        return lastToken
    }

    // MARK: The kernel

    private func write(_ entry: () -> Int32) {
        while entry() == -EBUSY { submit() }
    }

    /// Hands over every submission, and waits for nothing.
    private func submit() {
        while clinux_ring_unsubmitted(ring) > 0 {
            let result = clinux_ring_enter(ring, 0, 0)
            precondition(
                result >= 0 || Self.isPassing(result), "io_uring_enter failed: \(errnoText(-result))")
            guard result <= 0 else { continue }
            // No room for what would complete: make some.
            var completion = clinux_completion()
            while clinux_ring_next(ring, &completion) != 0 { backlog.append(completion) }
        }
    }

    /// Whether an error of io_uring_enter says no more than "not now".
    static func isPassing(_ result: Int32) -> Bool {
        switch -result {
        case ETIME, EINTR, EBUSY, EAGAIN: true
        default: false
        }
    }

    /// The calling thread is about to run the loop.
    func beginUse() {
        let current = clinux_thread_id()
        guard current != thread else { return }
        thread = current
        for fd in endAll() { list(fd) }
        pollWakeup()
        submit()
    }

    /// Ends every poll, and says which descriptors had one.
    @discardableResult
    private func endAll() -> [Int32] {
        let polled = slots.indices.filter { slots[$0].token != 0 }.map { Int32($0) }
        for fd in polled { endPoll(fd) }
        if wakeToken != 0 {
            let data = userData(wakeToken, -1)
            write { clinux_ring_end_poll(ring, data) }
            wakeToken = 0
        }
        return polled
    }

    /// Submits what has changed, so that the descriptor tells of it.
    func endUse() {
        writeChanges()
        submit()
    }
}
