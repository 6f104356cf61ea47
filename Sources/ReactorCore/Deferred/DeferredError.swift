/// An error of a Deferred itself, not of the work it stands for.
public struct DeferredError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, as a value that can be compared.
    public struct Code: Hashable, Sendable {
        private enum Name {
            case alreadyCalled, cancelled, timedOut, circularChain
            case queueOverflow, queueUnderflow
        }
        private let name: Name

        /// `callback` or `errback` was called on a Deferred that had fired. Twisted's AlreadyCalledError.
        public static let alreadyCalled = Code(name: .alreadyCalled)
        /// The Deferred was cancelled, and its canceller gave no outcome of its own. Twisted's
        /// CancelledError.
        public static let cancelled = Code(name: .cancelled)
        /// There was no outcome within the limit of `addTimeout`. Twisted's TimeoutError.
        public static let timedOut = Code(name: .timedOut)
        /// `DeferredQueue.put` found the queue full. Twisted's QueueOverflow.
        public static let queueOverflow = Code(name: .queueOverflow)
        /// `DeferredQueue.get` found too many waiting already. Twisted's QueueUnderflow.
        public static let queueUnderflow = Code(name: .queueUnderflow)
        /// A callback returned the Deferred it belongs to, which would wait for itself for ever.
        public static let circularChain = Code(name: .circularChain)
    }

    /// What went wrong.
    public let code: Code
    /// One sentence for a person.
    public let message: String

    /// The message.
    public var description: String { message }

    /// Whether a time-out passed.
    public var isTimeout: Bool { code == .timedOut }

    /// Whether `error` is what a wait throws whose task was cancelled: `CancellationError`, or a Deferred's
    /// `cancelled`.
    package static func isCancellation(_ error: any Error) -> Bool {
        error is CancellationError || (error as? DeferredError)?.code == .cancelled
    }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// An error that says that its work was told to end: nobody need hear of it.
package protocol QuietError: Error {}
