import CLinux
import Glibc

extension Reactor {
    // MARK: Waits

    /// Parks the calling task until a read of `fd` would not block.
    ///
    /// For descriptors of any owner, a C library's too: the registration is one-shot and made anew by each
    /// wait, so a library that closes and re-opens its socket on the same number between waits is followed.
    /// Regular files are always ready.
    ///
    /// A descriptor that is closed *during* the wait should be announced by `descriptorWillClose`. In programs that
    /// link `BlockingShims` libc's `close` and its relatives do so on the reactor's thread. What another thread
    /// closes, or a system call made directly, the reactor learns of when somebody else waits for the same number,
    /// in either direction: then waits for the former file end with `descriptorClosed`, and its callbacks are
    /// dropped. Until then they wait for what will not come, or, where the file has other descriptors, for that.
    /// - Throws: `ReactorError` with code `timedOut` after `timeout`; `descriptorClosed` when `fd` is not
    ///   open or is closed meanwhile through `descriptorWillClose`; `descriptorBusy` when somebody waits for
    ///   it already. `CancellationError` when the task is cancelled. In each case nothing stays registered.
    @ReactorActor public func waitUntilReadable(_ fd: Int32, timeout: Duration? = nil) async throws {
        _ = try await wait(for: .readable, of: fd, timeout: timeout)
    }

    /// Parks the calling task until a write to `fd` would not block. As `waitUntilReadable(_:timeout:)`.
    @ReactorActor public func waitUntilWritable(_ fd: Int32, timeout: Duration? = nil) async throws {
        _ = try await wait(for: .writable, of: fd, timeout: timeout)
    }

    /// Parks the calling task until `fd` is ready for a read or a write, and says for which. As
    /// `waitUntilReadable(_:timeout:)`.
    @ReactorActor public func waitUntilReadableOrWritable(
        _ fd: Int32, timeout: Duration? = nil
    ) async throws -> ReadySet {
        try await wait(for: [.readable, .writable], of: fd, timeout: timeout)
    }

    /// Parks the calling task until `fd` is ready for something in `interest`; returns what of it.
    @ReactorActor package func wait(
        for interest: ReadySet, of fd: Int32, timeout: Duration?
    ) async throws -> ReadySet {
        try Task.checkCancellation()
        guard let wait = try beginWait(for: interest, of: fd, timeout: timeout) else { return interest }
        defer { wait.end() }
        try await wait.waiter.waitUntilOpen()
        return wait.waiter.ready
    }

    /// Begins a wait for `fd`, which whoever parks by the waiter ends; nil when it is always ready, a regular file.
    @ReactorActor package func beginWait(
        for interest: ReadySet, of fd: Int32, timeout: Duration?
    ) throws -> DescriptorWait? {
        try checkFree(fd, interest)
        let waiter = DescriptorWaiter(on: self, for: .descriptor(fd, interest))
        if interest.contains(.readable) { descriptors[fd].reader = .waiter(waiter) }
        if interest.contains(.writable) { descriptors[fd].writer = .waiter(waiter) }
        let result = register(fd, adding: interest)
        guard result == 0 else {
            forget(waiter, fd)
            if result == -EPERM { return nil }  // a regular file: epoll has nothing to wait for
            throw Self.registrationError(fd, result)
        }
        var wait = DescriptorWait(waiter, fd, self)
        if let timeout { wait.limit(to: timeout) }
        return wait
    }

    /// Ends the kernel's interest in a descriptor that nobody watches: it would keep the file open.
    @ReactorActor fileprivate func endPollWithoutWatcher(_ fd: Int32) {
        let entry = descriptors[fd]
        guard entry.isRegistered, !entry.isWatched else { return }
        _ = poller.control(.delete, fd, events: 0, generation: 0)
    }

    /// Takes a waiter out of the places it holds: by its identity, for the number may mean another file by
    /// now.
    @ReactorActor fileprivate func forget(_ waiter: DescriptorWaiter, _ fd: Int32) {
        var entry = descriptors[fd]
        guard entry.isWatched else { return }
        if case .waiter(let other)? = entry.reader, other === waiter { entry.reader = nil }
        if case .waiter(let other)? = entry.writer, other === waiter { entry.writer = nil }
        descriptors[fd] = entry
        // A registration kept for a callback would go on reporting what nobody waits for any more.
        if entry.hasCallback { register(fd) }
    }

    /// Says that the caller is about to close `fd`: parked tasks get `descriptorClosed`, callbacks are
    /// dropped, and no event of the old file reaches the next owner of the number. Reactor only; never waits.
    ///
    /// libc's `close` itself does this on the reactor's thread in programs that link `BlockingShims`.
    @ReactorActor public func descriptorWillClose(_ fd: Int32) {
        guard descriptors.hasSeen(fd) else { return }
        let entry = descriptors[fd]
        if entry.isRegistered { _ = poller.control(.delete, fd, events: 0, generation: 0) }
        descriptors[fd] = DescriptorTable.Entry(generation: entry.generation &+ 1)
        failAsClosed(entry.watchers(besides: []), fd)
    }

    /// What `descriptorWillClose` does, for code that sees every number that is closed on the reactor's thread and does not
    /// know who waits for it.
    @ReactorActor package func descriptorsAreClosing(_ numbers: ClosedRange<Int32>) {
        if numbers.count == 1 {
            let fd = numbers.lowerBound
            if descriptors.hasSeen(fd), descriptors[fd].isWatched { descriptorWillClose(fd) }
        } else {
            for fd in descriptors.numbers(where: { $0.isWatched }) where numbers.contains(fd) {
                descriptorWillClose(fd)
            }
        }
    }

    /// Descriptors that somebody waits for or watches, for leak checks; not those that the reactor keeps for itself as
    /// long as it lives. Reactor only.
    @ReactorActor public var watchedDescriptors: [Int32] { descriptors.watched }

    // MARK: Events

    /// Resumes those who wait for what an event says. Whether there are callbacks, to be told of it
    /// too.
    @ReactorActor func resumeWaiters(_ event: clinux_event) -> Bool {
        let fd = event.fd
        let entry = descriptors[fd]
        // Else it is a stale registration's.
        guard entry.generation == event.generation, entry.isRegistered else { return false }
        let ready = ReadySet(event)
        if ready.contains(.readable) { resume(entry.reader, fd, ready) }
        // One who waited for either direction is gone from both by now.
        if ready.contains(.writable) { resume(descriptors[fd].writer, fd, .writable) }
        let last = descriptors[fd]
        // A one-shot registration is spent: whoever still waits needs it armed again.
        if last.mask & EPOLLONESHOT.rawValue != 0, last.isWatched { register(fd) }
        return last.hasCallback
    }

    @ReactorActor private func resume(_ watcher: DescriptorTable.Watcher?, _ fd: Int32, _ ready: ReadySet) {
        guard case .waiter(let waiter)? = watcher else { return }
        forget(waiter, fd)
        waiter.resume(returning: ready)
    }

    /// Ends the waits for a descriptor that the kernel could not wait for; callbacks hear nothing more of it, as with
    /// epoll when it is closed unannounced.
    @ReactorActor func failWaiters(of fd: Int32, generation: UInt32, code: Int32) {
        let entry = descriptors[fd]
        guard entry.generation == generation, entry.isRegistered else { return }
        descriptors[fd].isRegistered = false
        descriptors[fd].mask = 0
        for watcher in [entry.reader, entry.writer] {
            guard case .waiter(let waiter)? = watcher else { continue }
            waiter.open(throwing: Self.registrationError(fd, -code))
        }
    }

    /// Calls those who watch for what an event says.
    @ReactorActor func callCallbacks(_ event: clinux_event) {
        let fd = event.fd
        let entry = descriptors[fd]
        // A callback of this batch may have closed the descriptor.
        guard entry.generation == event.generation, entry.isRegistered else { return }
        let ready = ReadySet(event)
        if ready.contains(.readable), case .callback(let callback)? = entry.reader { call(callback, fd) }
        // The reader's may have closed it, or removed the writer.
        let after = descriptors[fd]
        guard after.generation == event.generation, ready.contains(.writable) else { return }
        if case .callback(let callback)? = after.writer { call(callback, fd) }
    }
}

/// One wait for a descriptor, from its registration to its end.
@ReactorActor
package struct DescriptorWait {
    /// What the task parks by.
    package let waiter: DescriptorWaiter
    private let fd: Int32
    private let reactor: Reactor
    private var timer: TimerPlace?

    private final class TimerPlace {
        var timer: DelayedCall?
    }

    fileprivate init(_ waiter: DescriptorWaiter, _ fd: Int32, _ reactor: Reactor) {
        self.waiter = waiter
        self.fd = fd
        self.reactor = reactor
    }

    fileprivate mutating func limit(to timeout: Duration) {
        let place = TimerPlace()
        timer = place
        place.timer = reactor.callInternallyLater(timeout) { [waiter, fd, reactor] in
            // Timers run before epoll is asked, and the loop may have been held up for longer than the
            // time-out: a turn later, what is ready has been found ready.
            place.timer = reactor.callInternallyLater(.zero) {
                waiter.open(
                    throwing: ReactorError(.timedOut, "descriptor \(fd) was not ready within \(timeout)"))
            }
        }
    }

    /// Leaves nothing of the wait behind. To be called once, however it ended.
    package func end() {
        timer?.timer?.cancelIfActive()
        reactor.forget(waiter, fd)
        if reactor.poller.holdsFiles { reactor.endPollWithoutWatcher(fd) }
    }
}

extension ReadySet {
    /// What an event says a descriptor is ready for; an error or a hang-up ends every wait.
    fileprivate init(_ event: clinux_event) {
        self = []
        let ended = EPOLLERR.rawValue | EPOLLHUP.rawValue
        if event.events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | ended) != 0 { insert(.readable) }
        if event.events & (EPOLLOUT.rawValue | ended) != 0 { insert(.writable) }
    }
}
