import ReactorCore

/// What few greenlets have. Kept apart from them, and made on first use: the others pay nothing for it.
@ReactorActor
final class GreenletExtras {
    /// Starts the body of a greenlet that nobody has started yet.
    private var launch: (@ReactorActor (AnyGreenlet) -> Void)?
    /// Starts it later.
    private var startTimer: DelayedCall?
    /// Told as the greenlet ends.
    private var links: ReadinessLinks?
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

    func add(_ link: ReadinessLink) {
        if links == nil { links = ReadinessLinks() }
        links!.add(link)  // set above
    }

    func takeLinks() -> ReadinessLinks? { links.take() }
}
