/// The latch of a task that waits for a descriptor: what `Waiter<ReadySet>` would be. A class that is not generic, for the
/// runtime looks up the type of a generic one's property whenever an object of it goes.
package final class DescriptorWaiter: Latch, @unchecked Sendable {  // as Latch
    /// What the descriptor is ready for; set before the latch opens without an error.
    @ReactorActor @exclusivity(unchecked) package private(set) var ready: ReadySet = []

    /// Ends the wait. Does nothing when it has ended already.
    @ReactorActor func resume(returning ready: ReadySet) {
        guard isPending else { return }
        self.ready = ready
        open()
    }
}
