/// What the monitor saw of a loop that was blocked.
public struct BlockReport: Sendable, CustomStringConvertible {
    /// Whose code ran; nil for code outside any greenlet: a delayed call, a callback, a plain task.
    public let greenlet: TaskLabel?
    /// The call known to block that the thread was in, as the program's code made it: `sleep`, `getaddrinfo`, `PQexec`. Nil when
    /// the stack shows none.
    public let operation: String?
    /// The system call that the thread was blocked in, or nil when it was running.
    public let systemCall: String?
    /// Where the reactor's thread was at that moment, innermost first. Empty when the kernel did not let us look.
    public let stack: [StackFrame]
    /// How long the block has lasted, or had lasted when it was over.
    public let duration: Duration
    /// Whether it is over.
    public let isOver: Bool

    /// Whose fault it is, in one phrase.
    var culprit: String {
        let who = greenlet?.description ?? "code outside any greenlet"
        return operation.map { "\($0), run by \(who)" } ?? who
    }

    func over(after duration: Duration) -> BlockReport {
        BlockReport(
            greenlet: greenlet, operation: operation, systemCall: systemCall, stack: stack,
            duration: duration, isOver: true)
    }

    /// A line, and while the block lasts the stack: as far as the loop, below which all stacks are alike, and without the
    /// compiler's thunks.
    public var description: String {
        guard !isOver else {
            return "the reactor's loop was blocked for \(duration.humanReadable) by \(culprit)"
        }
        let doing = systemCall.map { "in the system call \($0)" } ?? "running"
        var lines = [
            "the reactor's loop has been blocked for \(duration.humanReadable) by \(culprit), \(doing); the stack of its thread:"
        ]
        lines += stack.enumerated().prefix { !$0.element.isLoop }.filter { !$0.element.isThunk }
            .map { "  \($0.offset): \($0.element)" }
        if stack.isEmpty {
            lines.append("  (unknown: the system shows neither /proc/self/task/*/syscall nor memory)")
        }
        return lines.joined(separator: "\n")
    }
}
