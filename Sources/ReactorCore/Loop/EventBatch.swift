import CLinux

/// The events of one look at the kernel, and the calls of callbacks for them.
struct EventBatch {
    /// How many events are taken at a time.
    static let capacity = 256

    let events = UnsafeMutablePointer<clinux_event>.allocate(capacity: EventBatch.capacity)
    /// Where in a batch the callbacks begin.
    private var first = 0

    func deallocate() { events.deallocate() }

    /// Calls for each of the first `count` events until the `TurnLimit` is reached.
    ///
    /// The kernel keeps the order of descriptors that stay ready: without a moving start the last would starve.
    @inline(__always) @ReactorActor
    mutating func call(_ count: Int, _ call: @ReactorActor (clinux_event) -> Void) {
        guard count > 0 else { return }
        var limit = TurnLimit()
        for _ in 0..<count {
            first = (first + 1) % count
            call(events[first])
            if limit.isReached() { return }
        }
    }
}
