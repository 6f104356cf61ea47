import CLinux

/// Frees what may hold a long chain, one thing after another: released by each other, the links would nest
/// some frames a link, and a few hundred overflow a greenlet's stack.
///
/// The first burial on a thread does the work; burials that it sets off, deeper in the stack, only queue up.
enum Graveyard {
    /// Drops the stages: before this returns, or before the burial returns inside which this one is made. Any
    /// thread.
    static func bury(_ stages: [DeferredStage]) {
        if let pointer = clinux_get_thread_graveyard() {
            // The frame that set the pointer holds the queue until it has taken it back.
            Unmanaged<Queue>.fromOpaque(pointer).takeUnretainedValue().waiting.append(stages)
            return
        }
        let queue = Queue()
        // Taken back below, in this frame, which holds the queue.
        clinux_set_thread_graveyard(Unmanaged.passUnretained(queue).toOpaque())
        queue.waiting.append(stages)
        while let next = queue.waiting.popLast() {
            for stage in next { stage.drop() }
        }
        clinux_set_thread_graveyard(nil)
    }

    private final class Queue { var waiting: [[DeferredStage]] = [] }
}
