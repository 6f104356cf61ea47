import ReactorCore

/// What the code of a fiber can be inside of, and what can then end its waits: a time-out, a scope whose greenlets are being
/// ended.
@ReactorActor
protocol Limit: AnyObject {
    /// Whether the waits of the code inside have to end.
    var isOver: Bool { get }
    /// What they end with.
    var interruption: any Error { get }
}
