import ReactorCore

/// What few greenlets have. Kept apart from them, and made on first use: the others pay nothing for it.
@ReactorActor
final class GreenletExtras {
    /// Starts the body of a greenlet that nobody has started yet.
    private var launch: (@ReactorActor (AnyGreenlet) -> Void)?
    /// Starts it later.
    private var startTimer: DelayedCall?
    /// Told as the greenlet ends, before the links: it was there first, and is never taken back.
    @exclusivity(unchecked) private var observer: (@ReactorActor () -> Void)?
    /// Told as the greenlet ends.
    @exclusivity(unchecked) private var links: ReadinessLinks?
    /// Groups it is in and values it has.
    @exclusivity(unchecked) var attachments = GreenletAttachments()
    /// The values it shares with its tree, once any of the tree has used them.
    var tree: TreeLocals?

    init(_ tree: TreeLocals? = nil) { self.tree = tree }

    init(launch: @escaping @ReactorActor (AnyGreenlet) -> Void) { self.launch = launch }

    /// Whether a start has been asked for and is yet to come.
    var isStartDue: Bool { startTimer?.isActive ?? false }

    /// What starts the body, the first time.
    func takeLaunch() -> (@ReactorActor (AnyGreenlet) -> Void)? { launch.take() }

    func startLater(by timer: DelayedCall) { startTimer = timer }

    /// The body will never run.
    func giveUpStart() {
        launch = nil
        startTimer?.cancelIfActive()
        startTimer = nil
    }

    /// Keeps an observer that is never taken back, for less than a link costs. Whether it could: somebody may have been first.
    func set(_ observer: @escaping @ReactorActor () -> Void) -> Bool {
        guard self.observer == nil, links == nil else { return false }
        self.observer = observer
        return true
    }

    func add(_ link: ReadinessLink) {
        if links == nil { links = ReadinessLinks() }
        links!.add(link)  // set above
    }

    /// Tells everybody of the end. Whether anybody hears errors.
    func tellOfEnd() -> Bool {
        var hearsErrors = false
        if let observer = observer.take() {
            observer()
            hearsErrors = true
        }
        if let links = links.take(), links.fire() { hearsErrors = true }
        return hearsErrors
    }
}
