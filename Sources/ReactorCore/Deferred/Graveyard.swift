import CLinux

/// Frees what may hold a long chain, one thing after another: released by each other, the links would nest
/// some frames a link, and a few hundred overflow a greenlet's stack.
///
/// The first burial on a thread does the work; burials that it sets off, deeper in the stack, only queue up.
enum Graveyard {
    /// Releases the elements: before this returns, or before the burial returns inside which this one is
    /// made. Any thread.
    static func bury<Element>(_ elements: inout [Element]) {
        let coffin = Coffin<Element>()
        swap(&coffin.elements, &elements)
        if let pointer = clinux_get_thread_graveyard() {
            // The frame that set the pointer holds the queue until it has taken it back.
            Unmanaged<Queue>.fromOpaque(pointer).takeUnretainedValue().waiting.append(coffin)
            return
        }
        let queue = Queue()
        // Taken back below, in this frame, which holds the queue.
        clinux_set_thread_graveyard(Unmanaged.passUnretained(queue).toOpaque())
        coffin.empty()
        while let next = queue.waiting.popLast() { next.empty() }
        clinux_set_thread_graveyard(nil)
    }

    private final class Queue { var waiting: [AnyCoffin] = [] }

    /// Emptied by name: when a reference to an array goes is for the optimiser to say, and it must go inside
    /// the loop.
    private class AnyCoffin { func empty() {} }

    private final class Coffin<Element>: AnyCoffin {
        var elements: [Element] = []
        override func empty() { elements = [] }
    }
}
