import CBlockingShims
import CFibers
import Greenlets
import ReactorCore

/// A lock of libc's that a fiber waits for, as reports show it.
///
/// Unchecked: the address does not change, and what is there is asked of on the reactor's thread, while a fiber of that waits, which
/// is inside the call that locks it.
final class FiberLock: WaitSubject, @unchecked Sendable {
    private let type: cbs_lock_type
    private let address: UnsafeRawPointer

    init(_ type: cbs_lock_type, _ address: UnsafeRawPointer) {
        self.type = type
        self.address = address
    }

    /// The stack of the greenlet that holds it, where that is certain.
    private var holder: UnsafeMutablePointer<cf_fiber>? { cbs_lock_holder(type, address) }

    /// `pthread mutex 0x7f00 of greenlet "writer"`, or `… of thread 4711`.
    var waitDescription: String {
        let kind = type == CBS_MUTEX ? "pthread mutex" : "pthread read-write lock"
        return "\(kind) 0x\(String(UInt(bitPattern: address), radix: 16))\(holderText)"
    }

    private var holderText: String {
        // With a task it is a greenlet's stack.
        if let holder, holder.pointee.task != nil {
            // Its owner lives while code on it holds something.
            let fiber = holder.pointee.owner.map { Unmanaged<Fiber>.fromOpaque($0).takeUnretainedValue() }
            // Called on the reactor, as the protocol says.
            let name = ReactorActor.assumeIsolated { fiber?.greenlet?.name }
            return name.map { " of greenlet \"\($0)\"" } ?? ""
        }
        let thread = cbs_other_lock_thread(type, address)
        return thread == 0 ? "" : " of thread \(thread)"
    }

    /// The task of the greenlet that holds it.
    var holders: [UInt] { holder?.pointee.task.map { [UInt(bitPattern: $0)] } ?? [] }

    /// Unless a greenlet of this thread holds it: another thread gives its lock back some time, and who the holder is may not be known.
    var canEndFromOutside: Bool { holder == nil }
}
