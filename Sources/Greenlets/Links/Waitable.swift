public import ReactorCore

/// Something that is ready at some time: what `Greenlet.wait(for:)` and `completions(of:)` wait for. Greenlets are; events,
/// and what else can say when, may be.
///
/// A type of your own keeps a `ReadinessLinks` and fires it as it becomes ready.
@ReactorActor
public protocol Waitable: AnyObject, Sendable {
    /// Whether it is ready now.
    var isReady: Bool { get }

    /// Calls `action` on the reactor as it becomes ready, once; at once when it is ready now. The action must not wait.
    ///
    /// - Returns: the means to take the action back.
    @discardableResult
    func onReady(_ action: @escaping @ReactorActor () -> Void) -> ReadinessLink
}
