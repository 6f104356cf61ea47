/// Who borrows a connection, and where: for reports, and to see who waits for whom.
public struct PoolHolder: Sendable {
    /// The greenlet's number; 0 when it is no greenlet or not known.
    public var greenlet: Int
    /// The task, by address. A greenlet may have several at once, and one that waits does not stop the others.
    public var task: UInt
    /// What the connection is for; empty when nobody said.
    public var label: String
    /// Where it was asked for: `Module/File.swift`.
    public var file: StaticString
    /// The line there; 0 when the place is not known.
    public var line: UInt

    /// Describes a borrower; all unknown by default.
    @inlinable
    public init(
        greenlet: Int = 0, task: UInt = 0, label: String = "", file: StaticString = "", line: UInt = 0
    ) {
        self.greenlet = greenlet
        self.task = task
        self.label = label
        self.file = file
        self.line = line
    }

    /// Whether it can be told when this one waits: only then can a deadlock be claimed.
    @inlinable var isKnown: Bool { greenlet != 0 }

    @inlinable
    func isSame(as other: PoolHolder) -> Bool {
        isKnown && greenlet == other.greenlet && task == other.task
    }
}

/// One connection in use.
public struct PoolHolding<Connection> {
    /// The connection and its place.
    public let lease: PoolLease<Connection>
    /// Who has it.
    public let holder: PoolHolder
    /// Since when.
    public let since: Duration
    /// Whether the holder waits for another connection of the same pool.
    public let isWaiting: Bool

    @inlinable
    init(lease: PoolLease<Connection>, holder: PoolHolder, since: Duration, isWaiting: Bool) {
        self.lease = lease
        self.holder = holder
        self.since = since
        self.isWaiting = isWaiting
    }
}

extension PoolHolding: Sendable where Connection: Sendable {}
