public import ReactorCore

/// The actions that wait for one thing to be ready, in the order they were added. For types that are `Waitable`.
///
/// Reactor only.
@ReactorActor
public final class ReadinessLinks {
    private var links: [ReadinessLink] = []
    private var cancelledCount = 0

    /// An empty list.
    public nonisolated init() {}

    /// How many actions wait.
    public var count: Int { links.count - cancelledCount }

    /// With those that are cancelled and not yet swept out.
    var storedCount: Int { links.count }

    /// Adds an action, behind the others; it is called at the next `fire()`, once.
    ///
    /// - Parameter hearsErrors: whether an error that the thing is ready with counts as received by somebody.
    /// - Complexity: O(1), and so is cancelling the link.
    public func add(
        hearsErrors: Bool = true, _ action: @escaping @ReactorActor () -> Void
    ) -> ReadinessLink {
        let link = ReadinessLink(hearsErrors: hearsErrors)
        link.set(action)
        add(link)
        return link
    }

    /// As `add`, for a thing that may be ready now: then the action is called at once instead. What `Waitable.onReady` is, for
    /// types that keep such a list.
    public func add(isReady: Bool, _ action: @escaping @ReactorActor () -> Void) -> ReadinessLink {
        guard isReady else { return add(action) }
        action()
        return ReadinessLink(hearsErrors: true)
    }

    func add(_ link: ReadinessLink) {
        link.isNow(in: self)
        links.append(link)
    }

    /// Calls all actions, in order, and forgets them. One that an earlier one has cancelled is left out. Whether any of them
    /// hears errors. Actions added meanwhile wait for the next time.
    @discardableResult
    public func fire() -> Bool {
        let links = links
        self.links = []
        cancelledCount = 0
        var hearsErrors = false
        for link in links {
            guard let action = link.take() else { continue }
            if link.hearsErrors { hearsErrors = true }
            action()
        }
        return hearsErrors
    }

    /// Cancelled links are swept out when they are the most: whoever waits for a thing again and again, and gives up each
    /// time, leaves nothing behind.
    func hasCancelled() {
        cancelledCount += 1
        guard cancelledCount > 16, cancelledCount > links.count / 2 else { return }
        links.removeAll { $0.isCancelled }
        cancelledCount = 0
    }
}
