/// The numbers a ``MultiplexStateMachine`` decides by.
public struct MultiplexLimits: Sendable {
    /// Most lines: connections that statements share.
    public var lines: Int
    /// Most statements that a line may have sent and not yet answered. What is sent cannot move to another line.
    public var depth: Int
    /// A line that has so many statements outstanding is reason enough to open another.
    public var spreadAt: Int
    /// A line whose head runs for longer gets no further statements until that one is answered.
    public var slowAfter: Duration
    /// A line with nothing to do is given up after this long.
    public var idleAfter: Duration
    /// A line is given up after this long in any case, so that its connection can be examined, replaced or lent out.
    public var tenure: Duration

    /// Creates limits; the defaults are those of the pool.
    @inlinable
    public init(
        lines: Int = 4, depth: Int = 32, spreadAt: Int = 2, slowAfter: Duration = .milliseconds(10),
        idleAfter: Duration = .milliseconds(100), tenure: Duration = .seconds(30)
    ) {
        self.lines = lines
        self.depth = depth
        self.spreadAt = spreadAt
        self.slowAfter = slowAfter
        self.idleAfter = idleAfter
        self.tenure = tenure
    }
}

/// Names one line of a ``MultiplexStateMachine`` for as long as it exists; never reused.
public struct MultiplexLine: Hashable, Sendable {
    /// Its place, from 0 to one less than ``MultiplexLimits/lines``; a shell may keep an array by it.
    public let index: Int
    /// Number of the line, counted from 1.
    public let serial: UInt64

    @inlinable
    init(index: Int, serial: UInt64) {
        self.index = index
        self.serial = serial
    }
}
