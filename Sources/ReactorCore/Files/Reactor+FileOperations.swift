import CLinux
import DequeModule

extension Reactor {
    /// Does one operation on a regular file without holding up the loop. Returns what the system call would: a
    /// descriptor, a count, 0, or −errno.
    ///
    /// Waits without regard to cancellation, so that neither the kernel nor a thread is left with the caller's memory;
    /// a task that is cancelled meanwhile gets its result. Operations at the current position of one descriptor are
    /// done one after another, first come first served. Never −EINTR. Not for pipes, sockets and terminals: one that
    /// has nothing to read would be waited for, for ever.
    @ReactorActor package func perform(_ operation: FileOperation) async -> Int {
        guard operation.invalidity == 0 else { return operation.invalidity }
        guard operation.usesPosition else { return await performByEngine(operation) }
        let fd = operation.raw.fd
        await takePosition(of: fd)
        defer { givePosition(of: fd) }
        return await performByEngine(operation)
    }

    @ReactorActor private func performByEngine(_ operation: FileOperation) async -> Int {
        if let ring = fileRing, let result = await ring.perform(operation) { return result }
        return await performInThread(operation)
    }

    @ReactorActor private func performInThread(_ operation: FileOperation) async -> Int {
        let waiter = Waiter<Int>(on: self, for: .thread)
        // The caller's memory is used by that thread alone until the wait is over.
        let box = UncheckedBox(operation)
        do {
            try threadPool.submit {
                let result = box.value.perform()
                self.callFromThread { waiter.resume(returning: result) }
            }
        } catch {
            // No thread, or the pool was stopped by hand: better late than not written.
            return operation.perform()
        }
        guard let result = try? await waiter.waitUncancellably() else {
            preconditionFailure("a file operation was ended with an error of its wait")  // nobody does
        }
        return result
    }

    /// The kernel's lock of a position keeps threads apart, but io_uring does not take it.
    @ReactorActor private func takePosition(of fd: Int32) async {
        guard files.positions[fd] != nil else {
            files.positions[fd] = []
            return
        }
        let turn = Latch(on: self, for: .thread)
        files.positions[fd, default: []].append(turn)
        // Opened by givePosition(of:), never with an error.
        try? await turn.waitUntilOpenUncancellably()
    }

    @ReactorActor private func givePosition(of fd: Int32) {
        if let next = files.positions[fd]?.popFirst() {
            next.open()
        } else {
            files.positions[fd] = nil
        }
    }
}
