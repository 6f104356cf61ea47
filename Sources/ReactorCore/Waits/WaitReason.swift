/// What a parked task waits for, as dumps and deadlock reports show it, and whether anything outside the reactor's own
/// tasks can end the wait.
public struct WaitReason: Sendable, CustomStringConvertible {
    /// The kinds of waits.
    public enum Kind: UInt8, Sendable {
        /// Nobody said: taken as something that may come from outside.
        case unspecified
        /// Time to pass.
        case time
        /// A descriptor to become ready; `number` is the descriptor.
        case readable, writable, readableOrWritable
        /// Work on a thread of the process.
        case thread
        /// A name to be resolved.
        case name
        /// A signal.
        case signal
        /// A Deferred to fire.
        case deferred
        /// Something that other tasks of the reactor do: `subject` says what.
        case subject

        /// Whether the wait can always end without any other task of the reactor doing something.
        var canEndFromOutside: Bool { self != .subject }
    }

    /// What kind of wait it is.
    public let kind: Kind
    /// The descriptor, for waits for one.
    public let number: Int32
    /// What else is waited for, a `WaitSubject`. Unsafe: whoever waits holds what it waits for.
    unowned(unsafe) let object: (any AnyObject & Sendable)?

    init(_ kind: Kind, number: Int32 = 0, object: (any AnyObject & Sendable)? = nil) {
        self.kind = kind
        self.number = number
        self.object = object
    }

    /// A wait of which nothing is known.
    public static let unspecified = WaitReason(.unspecified)
    /// Time to pass.
    public static let time = WaitReason(.time)
    /// Work on a thread of the process.
    public static let thread = WaitReason(.thread)
    /// A name to be resolved.
    public static let name = WaitReason(.name)
    /// A signal to arrive.
    public static let signal = WaitReason(.signal)
    /// A Deferred to fire.
    public static let deferred = WaitReason(.deferred)

    /// A descriptor to become ready.
    static func descriptor(_ fd: Int32, _ interest: ReadySet) -> WaitReason {
        let kind: Kind =
            interest == .readable ? .readable : interest == .writable ? .writable : .readableOrWritable
        return WaitReason(kind, number: fd)
    }

    /// Something that other tasks of the reactor do: a lock to be released, an item to be put into a queue. Whoever waits must
    /// hold `subject` until the wait has ended.
    public static func subject(_ subject: any WaitSubject) -> WaitReason {
        WaitReason(.subject, object: subject)
    }

    /// What is waited for, when other tasks of the reactor bring it about.
    @ReactorActor public var subject: (any WaitSubject)? { object as? any WaitSubject }

    /// Whether the wait can end without any other task of the reactor doing something, as it is now.
    @ReactorActor public var canEndFromOutside: Bool {
        kind.canEndFromOutside || subject?.canEndFromOutside ?? false
    }

    /// `readable 7`, `time`, or `lock "films"`.
    public var description: String {
        switch kind {
        case .unspecified: "an event"
        case .time: "time"
        case .readable: "descriptor \(number) to be readable"
        case .writable: "descriptor \(number) to be writable"
        case .readableOrWritable: "descriptor \(number) to be readable or writable"
        case .thread: "work on a thread"
        case .name: "a name to be resolved"
        case .signal: "a signal"
        case .deferred: "a Deferred"
        case .subject: (object as? any WaitSubject)?.waitDescription ?? "another task"
        }
    }
}

/// Something of the reactor's own tasks that a task can wait for: a lock, a queue, a greenlet's end.
public protocol WaitSubject: AnyObject, Sendable {
    /// What it is, for reports: `semaphore with 0 of 3 permits`. Called on the reactor.
    var waitDescription: String { get }

    /// The tasks that hold it, by the addresses of the Swift runtime, and so can end the wait; empty when nobody in
    /// particular does. Called on the reactor.
    var holders: [UInt] { get }

    /// Whether something that is no task of the reactor may end the wait, as it is now: then it is part of no deadlock. Called on
    /// the reactor.
    var canEndFromOutside: Bool { get }
}

extension WaitSubject {
    /// Nobody in particular.
    public var holders: [UInt] { [] }

    /// No.
    public var canEndFromOutside: Bool { false }
}
