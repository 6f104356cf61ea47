import Glibc
import Logging
import Synchronization

/// What can be set about reactors from outside the program: one value, from the environment, or set in code.
///
/// ```swift
/// var configuration = ReactorConfiguration()   // what the environment says, the defaults elsewhere
/// configuration.resolver = .native
/// ReactorConfiguration.current = configuration // for all reactors from now on, or
/// let reactor = Reactor(configuration: configuration)
/// ```
/// Each property has a variable of the environment, which is listed with its values in `variables`. The environment is read first
/// and code may then set what it likes, as with gevent. A variable whose value makes no sense is reported once, with the values
/// allowed, and counts as not set. Any thread.
public struct ReactorConfiguration: Sendable {
    /// `REACTOR_BACKEND`: what loops wait in. Where the kernel refuses it, a warning is logged and epoll taken.
    public var backend: Reactor.Backend = .automatic
    /// `REACTOR_FILES`: who does file operations.
    public var fileEngine: Reactor.FileEngine = .automatic
    /// `REACTOR_RESOLVER`: who looks names up, unless a reactor has a resolver installed.
    public var resolver: ResolverKind = .threaded
    /// `REACTOR_MAX_BLOCKING`: how long one step may keep the loop before the monitor reports it, a millisecond at least; nil for
    /// no watch. A tenth of a second in debug builds, else nil.
    public var maxBlockingTime: Duration? = standardMaxBlockingTime {
        didSet {
            precondition(
                maxBlockingTime.map { $0 >= .milliseconds(1) } ?? true, "maxBlockingTime is less than 1 ms")
        }
    }
    /// `REACTOR_DUMP_SIGNAL`: the signal at which a reactor writes what everybody waits for; nil for none.
    public var dumpSignal: Int32?
    /// `REACTOR_ACCOUNTING`: whether the loop counts what each task uses of it.
    public var isAccounting = false
    /// `REACTOR_TRACK_GREENLET_TREE`: whether greenlets know who spawned them.
    public var tracksGreenletTree = true
    /// `REACTOR_STACK_SIZE`: bytes mapped for the stack of a greenlet with a synchronous body, 32 KiB at least: address space, of
    /// which only touched pages cost memory. Looked at once, as the process makes its first such greenlet.
    public var stackSize = 256 * 1024 {
        didSet { precondition(stackSize >= Self.smallestStack, "stackSize is less than 32 KiB") }
    }
    /// `REACTOR_SHIMS`: which areas of blocking calls park, as a text; nil for all. `BlockingShims.active` says how it is read.
    public var shims: String?
    /// `REACTOR_TESTING_PATIENCE`: what the test helpers multiply time limits by.
    public var testingPatience = 1 {
        didSet { precondition(testingPatience >= 1, "testingPatience is less than 1") }
    }

    static let smallestStack = 32 * 1024

    #if DEBUG
        static let standardMaxBlockingTime: Duration? = .milliseconds(100)
    #else
        static let standardMaxBlockingTime: Duration? = nil
    #endif

    /// What the environment says now, and the defaults elsewhere.
    public init() {
        self.init { name in
            getenv(name).map { String(cString: $0) }
        } warn: {
            Self.warnOnce($0)
        }
    }

    /// The defaults, whatever the environment says.
    public static var standard: ReactorConfiguration {
        ReactorConfiguration { _ in
            nil
        } warn: { _ in
        }
    }

    init(_ environment: (String) -> String?, warn: (String) -> Void) {
        for variable in EnvironmentVariable.all {
            guard let text = environment(variable.description.name), !text.isEmpty else { continue }
            if !variable.apply(text, &self) {
                let description = variable.description
                warn(
                    "\(description.name) is \"\(text)\": give \(description.values); \(description.standard) is taken"
                )
            }
        }
    }

    private static let chosen = Mutex<ReactorConfiguration?>(nil)
    private static let warnings = Mutex<Set<String>>([])

    /// What reactors go by that were not given a configuration of their own: what was set here last, else what the environment
    /// says when it is looked at. Each property is looked at when what it is about begins; what is under way stays as it is.
    public static var current: ReactorConfiguration {
        get { chosen.withLock { $0 } ?? ReactorConfiguration() }
        set { chosen.withLock { $0 = newValue } }
    }

    /// The text of `shims` alone: where it is asked for, nothing else may be looked at, let alone reported.
    package static var currentShims: String? {
        if let chosen = chosen.withLock({ $0 }) { return chosen.shims }
        return getenv("REACTOR_SHIMS").map { String(cString: $0) }
    }

    private static func warnOnce(_ warning: String) {
        guard warnings.withLock({ $0.insert(warning).inserted }) else { return }
        Logger(label: "reactor").warning("\(warning)")
    }
}
