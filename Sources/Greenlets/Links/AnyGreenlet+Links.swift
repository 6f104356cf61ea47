import ReactorCore

extension AnyGreenlet: Waitable {
    /// Calls `action` on the reactor as the greenlet ends, at once when it has ended; gevent's `rawlink`. Never waits, and
    /// neither must the action: to wait, use `onCompletion`. The greenlet's error counts as received.
    @discardableResult
    public final func onReady(_ action: @escaping @ReactorActor () -> Void) -> ReadinessLink {
        let link = ReadinessLink(hearsErrors: true)
        link.set(action)
        add(link)
        return link
    }

    /// As `onReady`, for actions that nobody will take back.
    func onEnd(_ action: @escaping @ReactorActor () -> Void) {
        guard !isReady else { return action() }
        if !madeExtras.set(action) { onReady(action) }
    }

    /// Fires the link as the greenlet ends, or now.
    func add(_ link: ReadinessLink) {
        guard !isReady else {
            link.take()?()
            return
        }
        madeExtras.add(link)
    }
}
