public import ReactorCore

/// One action that waits for something to be ready: what `onCompletion`, `onSuccess`, `onFailure` and `onReady` return, to
/// take it back.
///
/// Dropping it takes nothing back. Reactor only.
@ReactorActor
public final class ReadinessLink {
    private var action: (@ReactorActor () -> Void)?
    /// Weak: the list may be gone before whoever keeps this.
    private weak var list: ReadinessLinks?
    let hearsErrors: Bool
    /// Whether it has been taken back.
    public private(set) var isCancelled = false

    init(hearsErrors: Bool) { self.hearsErrors = hearsErrors }

    func set(_ action: @escaping @ReactorActor () -> Void) { self.action = action }

    func isNow(in list: ReadinessLinks) { self.list = list }

    /// Takes the action back: one that has not begun never will, even when the others are being told already. gevent's
    /// `unlink`. Never waits. Doing it again, or after the action, does nothing.
    public func cancel() {
        guard !isCancelled else { return }
        isCancelled = true
        guard action.take() != nil else { return }
        list?.hasCancelled()
    }

    /// Takes the action, once.
    func take() -> (@ReactorActor () -> Void)? { action.take() }
}
