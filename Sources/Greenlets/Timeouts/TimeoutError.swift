/// The end of the time that a `withTimeout` gave. gevent's Timeout, as an error.
///
/// `Timeout.owns(_:)` tells whose it is: of nested ones each catches its own and lets the others' pass.
public struct TimeoutError: Error, Sendable, CustomStringConvertible {
    /// Which time-out it was: unique in the process.
    public let id: UInt64
    /// The time that was given.
    public let duration: Duration
    /// What the body threw instead, when a C library or other code made an error of its own of it.
    public internal(set) var underlying: (any Error)?

    /// `timed out after 1.0 seconds`, and what the body made of it.
    public var description: String {
        "timed out after \(duration)" + (underlying.map { ": \($0)" } ?? "")
    }
}
