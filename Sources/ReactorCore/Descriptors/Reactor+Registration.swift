import CLinux
import Glibc

extension Reactor {
    /// Makes sure that the places of `interest` are free.
    ///
    /// One that is taken by who waits for a file that the number no longer means is freed.
    @ReactorActor func checkFree(_ fd: Int32, _ interest: ReadySet) throws {
        guard fd >= 0 else {
            throw ReactorError(.descriptorClosed, "\(fd) is not a descriptor", errno: EBADF)
        }
        // The table has a place for every number up to the highest: a wild one must not make it gigabytes.
        if !descriptors.hasSeen(fd), fcntl(fd, F_GETFD) < 0 { throw Self.registrationError(fd, -EBADF) }
        let entry = descriptors[fd]
        let isRead = interest.contains(.readable) && entry.reader?.isTaken == true
        let isWritten = interest.contains(.writable) && entry.writer?.isTaken == true
        guard isRead || isWritten else { return }
        let isLost =
            !entry.isRegistered || poller.hasLost(fd, events: entry.mask, generation: entry.generation)
        guard isLost else { throw Self.busy(fd, isRead ? "read" : "write") }
        descriptorWillClose(fd)
    }

    private static func busy(_ fd: Int32, _ direction: String) -> ReactorError {
        ReactorError(
            .descriptorBusy,
            "descriptor \(fd) is already waited for to \(direction): one task or callback a direction, use a lock or a queue"
        )
    }

    static func registrationError(_ fd: Int32, _ result: Int32) -> ReactorError {
        result == -EBADF
            ? ReactorError(.descriptorClosed, "descriptor \(fd) is not open", errno: EBADF)
            : ReactorError(
                .systemCall, "descriptor \(fd) cannot be waited for: \(errnoText(-result))", errno: -result)
    }

    /// Ends the waits for a file that has gone; to be called when the table no longer has these watchers.
    @ReactorActor func failAsClosed(_ watchers: [DescriptorTable.Watcher], _ fd: Int32) {
        let error = ReactorError(
            .descriptorClosed, "descriptor \(fd) was closed while it was waited for", errno: EBADF)
        for case .waiter(let waiter) in watchers { waiter.open(throwing: error) }
        withExtendedLifetime(watchers) {}  // as in removeReader
    }

    /// Makes the kernel's registration match the watchers of `fd`. Returns 0 or −errno.
    ///
    /// With a callback it is level-triggered and kept. With waiters alone it is one-shot and set anew for
    /// each wait even when nothing changed, because the number may mean a new file by now: MOD then answers
    /// ENOENT, and ADD follows. Whoever watches already then watches the old file, of which nothing more is
    /// heard: their waits end with `descriptorClosed`, and nothing of them goes into the new registration.
    /// - Parameter added: the directions whose watchers have just come, for the file that the number means now.
    @ReactorActor @discardableResult
    func register(_ fd: Int32, adding added: ReadySet = []) -> Int32 {
        var entry = descriptors[fd]
        guard entry.isWatched else {
            // Errors and hang-ups are reported whatever the mask says, so an idle registration could spin:
            // drop it, unless it is one-shot and has fired or never will matter.
            if entry.isRegistered, entry.mask & EPOLLONESHOT.rawValue == 0 {
                _ = poller.control(.delete, fd, events: 0, generation: 0)
                entry.isRegistered = false
                entry.mask = 0
                entry.generation &+= 1
                descriptors[fd] = entry
            }
            return 0
        }
        let mask = entry.wantedMask
        if entry.isRegistered, entry.mask == mask, mask & EPOLLONESHOT.rawValue == 0 { return 0 }
        guard entry.isRegistered else { return add(fd, &entry) }
        // A ring's registration goes on with the file it began with, and says nothing of the number's.
        let result =
            poller.holdsFiles && !added.isEmpty && entry.isWatched(besides: added)
                && poller.hasLost(fd, events: entry.mask, generation: entry.generation)
            ? -ENOENT : poller.control(.modify, fd, events: mask, generation: entry.generation)
        guard result != 0 else {
            entry.mask = mask
            descriptors[fd] = entry
            return 0
        }
        guard Poller.isLoss(result) else { return result }
        if poller.holdsFiles { _ = poller.control(.delete, fd, events: 0, generation: 0) }
        // The number's old file may live on in the kernel's set: its events are stale.
        entry.generation &+= 1
        let others = entry.watchers(besides: added)
        if !added.contains(.readable) { entry.reader = nil }
        if !added.contains(.writable) { entry.writer = nil }
        entry.isRegistered = false
        entry.mask = 0
        descriptors[fd] = entry
        failAsClosed(others, fd)
        return entry.isWatched ? add(fd, &entry) : 0
    }

    /// Registers a number that is not registered.
    @ReactorActor private func add(_ fd: Int32, _ entry: inout DescriptorTable.Entry) -> Int32 {
        let mask = entry.wantedMask
        var result = poller.control(.add, fd, events: mask, generation: entry.generation)
        if result == -EEXIST {
            result = poller.control(.modify, fd, events: mask, generation: entry.generation)
        }
        entry.isRegistered = result == 0
        entry.mask = result == 0 ? mask : 0
        if result != 0 { entry.generation &+= 1 }
        descriptors[fd] = entry
        return result
    }
}
