import ReactorCore

/// What few greenlets have. Kept apart from them, and made on first use: the others pay nothing for it.
@ReactorActor
final class GreenletExtras {
    /// Starts the body of a greenlet that nobody has started yet.
    private var launch: (@ReactorActor (AnyGreenlet) -> Void)?
    /// Starts it later.
    private var startTimer: DelayedCall?
    /// What the first kill was given.
    var killError: (any Error)?
    /// Who was the first to join it, and is nearly always the only one.
    private var joiner: Latch?
    /// Who came after.
    private var joiners: ParkingLine?
    /// Told as the greenlet ends, before the links: it was there first, and is never taken back.
    @exclusivity(unchecked) private var observer: (@ReactorActor () -> Void)?
    /// Told as the greenlet ends.
    @exclusivity(unchecked) private var links: ReadinessLinks?
    /// Groups it is in and values it has.
    @exclusivity(unchecked) var attachments = GreenletAttachments()
    /// The values it shares with its tree, once any of the tree has used them.
    var tree: TreeLocals?

    init(_ tree: TreeLocals? = nil) { self.tree = tree }

    /// Keeps what starts the body.
    func keepLaunch(_ launch: @escaping @ReactorActor (AnyGreenlet) -> Void) { self.launch = launch }

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

    func add(joiner latch: Latch) {
        if joiner == nil { return joiner = latch }
        if joiners == nil { joiners = ParkingLine() }
        joiners!.append(latch)  // set above
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
        var hearsErrors = joiner.take()?.open() ?? false
        if let joiners = joiners.take(), joiners.openAll() > 0 { hearsErrors = true }
        if let observer = observer.take() {
            observer()
            hearsErrors = true
        }
        if let links = links.take(), links.fire() { hearsErrors = true }
        return hearsErrors
    }
}
