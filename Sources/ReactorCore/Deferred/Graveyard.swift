import CLinux

/// Frees what may hold a long chain, one thing after another: released by each other, the links would nest
/// some frames a link, and a few hundred overflow a greenlet's stack.
///
/// The first burial on a thread does the work; burials that it sets off, deeper in the stack, only queue up.
enum Graveyard {
    /// What a chain leaves behind.
    enum Remains {
        case stages([DeferredStage])
        case canceller(DeferredChain.Canceller)
        case object(AnyObject)
    }

    /// Drops what `collect` adds to the queue: before this returns, or before the burial returns inside which this one is
    /// made. Any thread.
    ///
    /// `collect` moves things out of the fields that hold them. A copy left in the caller's frame would be the last one,
    /// and released there, where nothing is queued.
    static func bury(_ collect: (inout [Remains]) -> Void) {
        if let queue = openQueue { collect(&queue.pointee) } else { work { collect(&$0.pointee) } }
    }

    /// Deinitialises a value, as `bury`.
    static func bury<Value>(_ value: UnsafeMutablePointer<Value>) {
        guard let queue = openQueue else {
            return work { _ in _ = value.deinitialize(count: 1) }
        }
        queue.pointee.append(.object(DeferredChain.Box(value.move())))
    }

    private static var openQueue: UnsafeMutablePointer<[Remains]>? {
        // Set in work(_:), whose frame holds the queue until it has taken the pointer back.
        clinux_get_thread_graveyard()?.assumingMemoryBound(to: [Remains].self)
    }

    private static func work(_ first: (UnsafeMutablePointer<[Remains]>) -> Void) {
        var queue: [Remains] = []
        withUnsafeMutablePointer(to: &queue) { queue in
            clinux_set_thread_graveyard(queue)
            first(queue)
            while let next = queue.pointee.popLast() { drop(next) }
            clinux_set_thread_graveyard(nil)
        }
    }

    private static func drop(_ remains: Remains) {
        // An object's or canceller's last reference is the caller's.
        if case .stages(let stages) = remains { for stage in stages { stage.drop() } }
    }
}
