/// What the loop asks of Greenlets, which it does not know, for the fibers in its queue.
///
/// A protocol, for a closure of the reactor's would check where it is called each time.
@ReactorActor
package protocol FiberResumer: AnyObject {
    /// Goes on with a fiber until it parks or ends.
    func resumeFiber(of owner: UnsafeMutableRawPointer)
}
