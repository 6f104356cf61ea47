import CLinux
import Glibc

/// File operations by io_uring(7): the kernel does them, on threads of its own where they take time.
///
/// A ring apart from the loop's, which may well be epoll's. Its descriptor is readable when something has completed, and
/// the loop watches that.
@ReactorActor
final class FileRing {
    /// Unowned: it holds us, and so does every operation under way.
    private unowned let reactor: Reactor
    /// Unsafe: reactor only, then deinit.
    private nonisolated(unsafe) let ring = UnsafeMutablePointer<clinux_ring>.allocate(capacity: 1)
    /// Who waits for which operation. Each holds the reactor, so the reactor and this ring outlive them.
    private var running: [UInt64: Waiter<Int>] = [:]
    private var lastNumber: UInt64 = 0

    init(on reactor: Reactor) throws(ReactorError) {
        self.reactor = reactor
        let result = clinux_ring_init(ring, 64, 1024)
        guard result == 0 else { throw Reactor.Backend.unavailable(-result) }
        let callback = DescriptorTable.Callback(
            { [unowned self] in takeCompletions() }, site: CallSite(#fileID, #line), isInternal: true,
            isPermanent: true)
        do { try reactor.addReader(ring.pointee.fd, callback) } catch {
            throw ReactorError(.systemCall, "the ring for files cannot be watched: \(error)")
        }
    }

    deinit {
        // Nothing is under way: see `running`.
        clinux_ring_term(ring)
        ring.deallocate()
    }

    /// Does it; nil when the kernel would not or could not, and it has to be done in another way.
    ///
    /// Waits without regard to cancellation: the kernel writes into the caller's memory.
    func perform(_ operation: FileOperation) async -> Int? {
        lastNumber += 1
        let number = lastNumber
        let waiter = Waiter<Int>(on: reactor, for: .thread)
        running[number] = waiter
        guard submit(operation, number) else {
            running[number] = nil
            return nil
        }
        // What the kernel had at hand is here already.
        takeCompletions()
        if !waiter.isPending { await reactor.yield() }
        guard let result = try? await waiter.waitUncancellably() else {
            preconditionFailure("a file operation was ended with an error of its wait")  // nobody does
        }
        switch -Int32(truncatingIfNeeded: result) {
        // The thread that submitted it has ended, or the file is O_NONBLOCK, which means nothing to regular ones.
        case ECANCELED, EINTR, EAGAIN: return nil
        // A kind of file, or a filter, that knows no io_uring.
        case EOPNOTSUPP, ENOSYS: return nil
        default: return result
        }
    }

    private func submit(_ operation: FileOperation, _ number: UInt64) -> Bool {
        let isWritten = withUnsafePointer(to: operation.raw) {
            clinux_ring_file(ring, $0, operation.isLong ? 1 : 0, number) == 0
        }
        guard isWritten else { return false }
        while true {
            let result = clinux_ring_enter(ring, 0, 0)
            if clinux_ring_unsubmitted(ring) == 0 { return true }
            guard result != -EINTR else { continue }
            // No memory, or no room for one completion more.
            clinux_ring_withdraw(ring)
            return false
        }
    }

    private func takeCompletions() {
        var completion = clinux_completion()
        while clinux_ring_next(ring, &completion) != 0 {
            running.removeValue(forKey: completion.user_data)?.resume(returning: Int(completion.result))
        }
    }
}
